from __future__ import annotations

import textwrap
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.reading.records import Seen
from newsletter.sources.reading.wrapping import WrappedError, unwrapped
from newsletter.sources.saved_page import papers
from tests.sources.pages import TITLES, abstract, block, dense, spaced

DAY = date(2026, 4, 15)
PAGE = spaced(
    block(TITLES[0], "4 authors", "Mar 2, 2023"), block(TITLES[1], "1 authors", "Mar 17"), block(TITLES[2])
)


def wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.fill(line, width) if line.strip() else "" for line in text.split("\n"))


def cut(text: str, width: int) -> str:
    """Break lines as `fold` does, within words."""
    return "\n".join(
        "\n".join(line[at : at + width] for at in range(0, len(line), width)) for line in text.split("\n")
    )


def shown(text: str) -> list[tuple[str, str]]:
    found = papers(unwrapped(text), DAY)
    return [(item.listing.title, item.listing.abstract) for item in found if isinstance(item, Seen)]


RIGHT = [(title, abstract(title)) for title in TITLES]


@pytest.mark.parametrize("width", [50, 60, 72, 78, 80, 100, 132])
def test_a_page_that_an_editor_wrapped_is_read_whole(width: int) -> None:
    assert shown(wrapped(PAGE, width)) == RIGHT


@pytest.mark.parametrize("width", [78, 80])
def test_an_indented_page_is_read_whole(width: int) -> None:
    assert shown(textwrap.indent(wrapped(PAGE, width), "  ")) == RIGHT


def test_a_word_that_was_broken_at_its_hyphen_is_one() -> None:
    lines = ["a" * 30 + " state-of-the-", "art " + "b" * 40, "c" * 44, "d" * 10]
    assert "state-of-the-art" in unwrapped("\n".join(lines))


@pytest.mark.parametrize(
    "text", [PAGE, dense(*TITLES), "", "A Title\nA short abstract.\nAnother Title\nOf one line."]
)
def test_a_page_that_was_not_wrapped_stays_as_it_is(text: str) -> None:
    assert unwrapped(text) == text


@pytest.mark.parametrize("width", [60, 78, 100])
def test_a_dense_page_that_was_wrapped_is_refused(width: int) -> None:
    with pytest.raises(WrappedError, match="no blank lines stand between its papers"):
        unwrapped(wrapped(dense(*TITLES), width))


@given(st.integers(45, 140), st.lists(st.sampled_from(TITLES), min_size=1, max_size=4, unique=True))
def test_no_width_makes_a_piece_of_an_abstract_a_title(width: int, titles: list[str]) -> None:
    page = wrapped(spaced(*(block(title, "4 authors") for title in titles)), width)
    assert {title for title, _ in shown(page)} <= set(titles)


@given(st.integers(45, 140))
def test_lines_cut_within_words_make_no_titles_either(width: int) -> None:
    assert {title for title, _ in shown(cut(PAGE, width))} <= set(TITLES)


@given(st.text())
def test_any_text_keeps_all_its_characters_except_spaces(text: str) -> None:
    try:
        found = unwrapped(text)
    except WrappedError:
        return
    assert "".join(found.split()) == "".join(text.split())

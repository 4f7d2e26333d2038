from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.issue.words import compact, counted, cut, cut_at_sentence, long_date, short_date, wrapped


def test_days_are_words() -> None:
    assert long_date(date(2026, 3, 12)) == "Thursday, 12 March 2026"
    assert short_date(date(2026, 3, 12)) == "12 Mar"
    assert short_date(date(2025, 12, 30), date(2026, 3, 12)) == "30 Dec 2025"
    assert short_date(date(2026, 1, 3), date(2026, 3, 12)) == "3 Jan"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1234, "1,234"), (12_345, "12.3k"), (20_000, "20k"), (1_250_000, "1.2M")],
)
def test_counts_stay_short(number: int, words: str) -> None:
    assert compact(number) == words


def test_one_is_singular() -> None:
    assert (counted(1, "paper"), counted(2, "paper"), counted(0, "paper")) == ("1 paper", "2 papers", "0 papers")


def test_text_is_cut_between_words() -> None:
    assert cut("Efficient Disentanglement for Talking", 30) == "Efficient Disentanglement …"
    assert cut("Short", 30) == "Short"
    assert cut("Title: and more", 10) == "Title …"


@given(text=st.text(), limit=st.integers(min_value=3, max_value=60))
def test_cut_text_is_never_longer_than_asked(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert len(cut_at_sentence(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("One sentence. Another one. A third that is long.", 30, "One sentence. Another one."),
        (
            "We follow Smith et al. 2020 here, at length, to the very end of it.",
            40,
            "We follow Smith et al. 2020 here, at …",
        ),
        ("It is 2.5 times faster. And it is cheaper, too.", 30, "It is 2.5 times faster."),
        ("A question? Yes! And then words that do not fit any more.", 25, "A question? Yes!"),
        ("这是第一句话。这是第二句话，比较长一些。", 10, "这是第一句话。"),
        (
            "Hi. A first sentence that is far too long to be shown in full.",
            40,
            "Hi. A first sentence that is far too …",
        ),
    ],
)
def test_paragraphs_are_cut_at_a_sentence_where_one_fits(text: str, limit: int, short: str) -> None:
    assert cut_at_sentence(text, limit) == short


def test_wrapped_text_keeps_words_hyphens_and_links_whole() -> None:
    url = "https://example.org/" + "a" * 80
    text = f"{'word ' * 14}state-of-the-art {url} end"
    lines = wrapped(text, 4).splitlines()
    assert all(line.startswith("    ") for line in lines)
    assert any("state-of-the-art" in line for line in lines)
    assert f"    {url}" in lines


def test_a_mark_in_the_margin_does_not_count() -> None:
    assert wrapped("word " * 14, 4, "%%a-long-mark%%. ") == "%%a-long-mark%%. " + "word " * 12 + "word\n    word"

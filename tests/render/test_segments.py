from __future__ import annotations

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.render.mime.markers import Markers
from newsletter.render.mime.segments import arranged, compiled, filled

HTML, TEXT = Markers(html=True, nonce="fedcba9876543210"), Markers(html=False, nonce="0123456789abcdef")


def joined(page: str, marks: Markers, order: dict[int, dict[str, str]] | None = None, **values: str) -> str:
    """Return the page as a reader gets it, decoded."""
    pieces = compiled(page, marks, of_reader={"name", "link"}, of_listing={"matched"})
    raw = b"".join(filled(arranged(pieces, order or {}, {}), {"name": "", "link": ""} | values))
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
    return quopri.decodestring(raw).decode().replace("\r\n", "\n")


def block(kind: str, position: int, text: str, marks: Markers = TEXT) -> str:
    return f"{marks.begin(kind, position)}{text}{marks.end()}"


def test_a_slot_takes_the_readers_value_on_a_line_of_its_own() -> None:
    pieces = compiled(f"Hi {TEXT.slot('name')}!\n", TEXT, of_reader={"name"}, of_listing=())
    assert b"".join(filled(arranged(pieces, {}, {}), {"name": "Ann"})) == b"Hi =\r\nAnn=\r\n!\r\n"


def test_a_value_is_escaped_in_html_in_attributes_too_and_stays_as_it_is_in_text() -> None:
    page = f'<a title="{HTML.slot("name")}">{HTML.slot("name")}</a>\n'
    assert joined(page, HTML, name='"><script>&') == (
        '<a title="&quot;&gt;&lt;script&gt;&amp;">&quot;&gt;&lt;script&gt;&amp;</a>\n'
    )
    assert joined(f"{TEXT.slot('name')}\n", TEXT, name="<Ann> & Co") == "<Ann> & Co\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), st.text(max_size=200))
def test_any_page_and_any_value_read_back(text: str, value: str) -> None:
    value = value.encode("utf-8", "replace").decode().replace("\r", "\n")
    page = f"{text}{TEXT.slot('name')}{text}"
    end = "" if text.endswith("\n") else "\n"  # a page ends with its last line
    assert joined(page, TEXT, name=value) == f"{text}{value}{text}{end}"


def test_a_block_that_needs_a_value_goes_with_an_empty_one() -> None:
    page = f"{TEXT.when('name')}Hello {TEXT.slot('name')},\n{TEXT.end()}news:\n"
    assert joined(page, TEXT, name="Ann") == "Hello Ann,\nnews:\n"
    assert joined(page, TEXT) == "news:\n"


def test_blocks_of_a_kind_come_in_the_readers_order_and_only_the_chosen() -> None:
    page = "head\n" + "\n".join(block("item", n, f"paper {n}") for n in range(4)) + "\nfoot\n"
    assert joined(page, TEXT, {2: {}, 0: {}, 3: {}}) == "head\npaper 2\npaper 0\npaper 3\nfoot\n"
    assert joined(page, TEXT) == "head\n\nfoot\n"


def test_blocks_of_two_kinds_and_runs_apart_are_ordered_by_themselves() -> None:
    page = (
        block("toc", 0, "a")
        + block("toc", 1, "b")
        + "|"
        + block("item", 0, "A")
        + block("item", 1, "B")
        + "|"
        + block("item", 0, "x")
        + block("item", 1, "y")
        + "\n"
    )
    assert joined(page, TEXT, {1: {}, 0: {}}) == "ba|BA|yx\n"


def test_a_position_without_a_block_is_passed_over() -> None:
    page = block("item", 1, "one") + " " + block("item", 5, "five") + "\n"
    assert joined(page, TEXT, {0: {}, 5: {}, 3: {}, 1: {}}) == "five one\n"


def test_a_listings_values_stand_in_its_own_block_only() -> None:
    mark = f"{TEXT.when('matched')} ({TEXT.slot('matched')}){TEXT.end()}"
    page = block("item", 0, f"paper 0{mark}") + "\n" + block("item", 1, f"paper 1{mark}") + "\n"
    listings = {1: {"matched": "agents"}, 0: {"matched": ""}}
    assert joined(page, TEXT, listings) == "paper 1 (agents)\npaper 0\n"


def test_a_readers_value_may_stand_in_a_listings_block() -> None:
    inner = f"{TEXT.when('name')}for {TEXT.slot('name')}{TEXT.end()}"
    page = block("item", 0, inner) + "\n"
    assert joined(page, TEXT, {0: {"matched": ""}}, name="Ann") == "for Ann\n"
    assert joined(page, TEXT, {0: {"matched": ""}}) == "\n"


def test_html_marks_may_stand_between_table_rows() -> None:
    page = f"<table>{HTML.begin('row', 0)}<tr><td>x</td></tr>{HTML.end()}</table>\n"
    assert joined(page, HTML, {0: {}}) == "<table><tr><td>x</td></tr></table>\n"


def test_text_that_looks_like_a_mark_of_another_rendering_is_text() -> None:
    other = Markers(html=False).slot("name")
    assert joined(f"{other}\n", TEXT) == f"{other}\n"


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (TEXT.slot("nobody"), "`slot.nobody` is unknown or out of place"),
        (TEXT.when("nobody") + TEXT.end(), "`when.nobody` is unknown or out of place"),
        (TEXT.slot("matched"), "`slot.matched` is unknown or out of place"),
        (TEXT.end(), "`end` is unknown or out of place"),
        (TEXT.when("name"), "`when.name` is never closed"),
        (TEXT.begin("item", 0), "`begin.item.0` is never closed"),
        (block("item", 0, block("part", 0, "")), "`begin.part.0` is unknown or out of place in `begin.item.0`"),
        (
            block("item", 0, TEXT.when("name") + block("part", 0, "") + TEXT.end()),
            "`begin.part.0` is unknown or out of place",
        ),
        (block("item", 0, "a") + block("item", 0, "b"), "two blocks `item` belong to one listing"),
        (TEXT.slot("name").replace("%%", "%25%25"), "a mark was spoilt"),
        (TEXT.slot("name").replace(".slot", ".blot"), "`blot.name` is unknown"),
    ],
)
def test_wrong_marks_are_named_when_the_page_is_compiled(page: str, complaint: str) -> None:
    with pytest.raises(RenderError, match="marks of the text part") as caught:
        compiled(page, TEXT, of_reader={"name"}, of_listing={"matched"})
    assert complaint in str(caught.value)


def test_an_error_names_the_html_part() -> None:
    with pytest.raises(RenderError, match="marks of the HTML part"):
        compiled(HTML.end(), HTML, of_reader=(), of_listing=())

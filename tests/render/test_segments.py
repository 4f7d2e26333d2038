from __future__ import annotations

import html
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.render.mime import quoted
from newsletter.render.mime.frames import Chosen, Values
from newsletter.render.mime.markers import Markers
from newsletter.render.mime.pieces import Names, Slot, compiled, line_of
from newsletter.render.mime.segments import Arrangement, Body, CompiledPage

HTML, TEXT = Markers(html=True, nonce="fedcba9876543210"), Markers(html=False, nonce="0123456789abcdef")


NAMES = Names(anywhere={"name", "link"}, section={"heading"}, listing={"matched"})


def compiled_page(page: str, marks: Markers, known: dict[str, str] | None = None) -> CompiledPage:
    names = Names(anywhere=NAMES.anywhere, section=NAMES.section, listing=NAMES.listing, known=known or {})
    return CompiledPage(compiled(page, marks, names))


def shown(
    page: str,
    marks: Markers,
    order: dict[int, dict[str, str]] | None = None,
    sections: dict[str, Chosen] | None = None,
    **values: str,
) -> str:
    """Return the page as a reader gets it, decoded; `order` is of a page of a former version."""
    former = Chosen({position: Values(own) for position, own in (order or {}).items()})
    body = Body((arranged(page, marks, {"": former, **(sections or {})}),))
    raw = b"".join(body.filled({"name": "", "link": ""} | values))
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
    return quopri.decodestring(raw).decode().replace("\r\n", "\n")


def arranged(page: str, marks: Markers, sections: dict[str, Chosen], **values: str) -> Arrangement:
    return compiled_page(page, marks).arranged(sections, values)


def block(kind: str, position: int, text: str, marks: Markers = TEXT) -> str:
    """Return a listing as templates of former versions wrote it."""
    begin = f"%%{marks.nonce}.begin.{kind}.{position}%%"
    return f"{f'<!--{begin}-->' if marks.html else begin}{text}{marks.end()}"


def form(name: str, position: int, text: str) -> str:
    return f"{TEXT.form(name, position)}{text}{TEXT.end()}"


def run(form: str, between: str = "") -> str:
    return f"{TEXT.run(form)}{between}{TEXT.end()}"


def section(name: str, text: str) -> str:
    return f"{TEXT.section(name)}{text}{TEXT.end()}"


def chosen(*positions: int, **values: str) -> Chosen:
    return Chosen({position: Values(matched="") for position in positions}, Values(values))


FORMS = "".join(form("card", number, f"card {number}\n") for number in range(4)) + "foot\n"


def test_a_section_shows_its_listings_in_their_order_with_what_stands_between() -> None:
    mine = run("card", "--\n")
    page = section("mine", f"Mine\n{mine}") + section("also", f"Also\n{run('card')}") + FORMS
    sections = {"mine": chosen(2, 0, 3), "also": chosen(1)}
    assert shown(page, TEXT, sections=sections) == "Mine\ncard 2\n--\ncard 0\n--\ncard 3\nAlso\ncard 1\nfoot\n"


def test_a_section_without_listings_is_not_there_at_all() -> None:
    page = section("mine", f"Mine\n{run('card')}") + section("also", f"Also\n{run('card')}") + FORMS
    assert shown(page, TEXT, sections={"mine": chosen(), "also": chosen(1)}) == "Also\ncard 1\nfoot\n"
    assert shown(page, TEXT) == "foot\n"


def test_a_listing_that_lacks_a_form_is_passed_over() -> None:
    page = section("mine", run("card", "--\n")) + section("also", run("rising")) + FORMS
    sections = {"mine": chosen(7, 1, 8, 2), "also": chosen(1)}
    assert shown(page, TEXT, sections=sections) == "card 1\n--\ncard 2\nfoot\n"


def test_a_listing_has_one_form_in_one_section_and_another_in_the_next() -> None:
    page = section("lead", run("big")) + section("also", run("card")) + form("big", 1, "BIG 1\n") + FORMS
    sections = {"lead": chosen(1), "also": chosen(1, 2)}
    assert shown(page, TEXT, sections=sections) == "BIG 1\ncard 1\ncard 2\nfoot\n"


def test_a_form_shows_the_values_of_the_listing_the_section_and_the_reader() -> None:
    why = f"{TEXT.when('matched')} for {TEXT.slot('matched')}{TEXT.end()}"
    inner = f"1{why} {TEXT.slot('heading')} {TEXT.slot('name')}\n"
    page = section("mine", run("card")) + section("also", run("card")) + form("card", 1, inner) + "foot\n"
    sections = {
        "mine": Chosen({1: Values(matched="agents")}, Values(heading="M")),
        "also": Chosen({1: Values(matched="")}, Values(heading="A")),
    }
    assert shown(page, TEXT, sections=sections, name="Ann") == "1 for agents M Ann\n1 A Ann\nfoot\n"
    assert shown(page, TEXT, sections=sections, name="Bob") == "1 for agents M Bob\n1 A Bob\nfoot\n"


def test_what_is_kept_ready_is_not_mixed_up_between_values_or_choices() -> None:
    page = section("mine", run("card")) + form("card", 0, f"0{TEXT.slot('matched')}{TEXT.slot('heading')}") + "\n"
    compiled_once = compiled_page(page, TEXT)

    def text(matched: str, heading: str) -> bytes:
        sections = {"mine": Chosen({0: Values(matched=matched)}, Values(heading=heading))}
        return b"".join(Body((compiled_once.arranged(sections, {}),)).filled({})).replace(b"=\r\n", b"")

    for matched in ("a", "b"):
        for heading in ("x", "y"):
            assert text(matched, heading) == f"0{matched}{heading}\r\n".encode()


def test_values_that_are_the_same_for_all_readers_are_put_in_when_the_page_is_compiled() -> None:
    page = f"{TEXT.slot('pages')}{TEXT.when('pages')} with pages{TEXT.end()}{TEXT.when('none')}no{TEXT.end()}\n"
    arrangement = compiled_page(page, TEXT, {"pages": "yes", "none": ""}).arranged({}, {})
    assert not arrangement.slots
    assert b"".join(Body((arrangement,)).filled({})).replace(b"=\r\n", b"") == b"yes with pages\r\n"


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r%")), min_size=1, max_size=5)
)
def test_the_size_of_a_page_is_that_of_its_decoded_bytes(texts: list[str]) -> None:
    forms = "".join(form("card", number, text) for number, text in enumerate(texts))
    sections = {"mine": chosen(*range(len(texts)))}
    page = section("mine", run("card", "ü\n")) + forms + "\n"
    arrangement = arranged(page, TEXT, sections)
    decoded = quopri.decodestring(b"".join(Body((arrangement,)).filled({})))
    assert arrangement.size == len(decoded)
    assert sum(arrangement.sizes["mine"].values()) == len(decoded) - len("\r\n")


@given(
    st.integers(70, 80),
    st.one_of(st.text(), st.sampled_from([".", "From x", " ", "F", "=", "<", "x" * 75, "x" * 76]), st.just("")),
)
def test_a_long_value_is_broken_as_any_text_is(length: int, end: str) -> None:
    value = "h" * length + end
    assert line_of(value) == (quoted.encode(value), quoted.encode(html.escape(value)))


def test_parts_are_joined_with_their_places_and_what_is_optional() -> None:
    page = f"{TEXT.when('name')}Hi {TEXT.slot('name')}!\n{TEXT.end()}news\n"
    both = Body((b"--\r\n", arranged(page, TEXT, {}), b"==\r\n", arranged(page, TEXT, {})))
    assert b"".join(both.filled({"name": ""})) == b"--\r\nnews\r\n==\r\nnews\r\n"
    greeting = b"Hi =\r\nAnn=\r\n!\r\nnews\r\n"
    assert b"".join(both.filled({"name": "Ann"})) == b"--\r\n" + greeting + b"==\r\n" + greeting


def test_a_slot_takes_the_readers_value_on_a_line_of_its_own() -> None:
    page = Body((arranged(f"Hi {TEXT.slot('name')}!\n", TEXT, {}),))
    assert b"".join(page.filled({"name": "Ann"})) == b"Hi =\r\nAnn=\r\n!\r\n"


def test_a_value_is_escaped_in_html_in_attributes_too_and_stays_as_it_is_in_text() -> None:
    page = f'<a title="{HTML.slot("name")}">{HTML.slot("name")}</a>\n'
    assert shown(page, HTML, name='"><script>&') == (
        '<a title="&quot;&gt;&lt;script&gt;&amp;">&quot;&gt;&lt;script&gt;&amp;</a>\n'
    )
    assert shown(f"{TEXT.slot('name')}\n", TEXT, name="<Ann> & Co") == "<Ann> & Co\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), st.text(max_size=200))
def test_any_page_and_any_value_read_back(text: str, value: str) -> None:
    value = value.encode("utf-8", "replace").decode().replace("\r", "\n")
    page = f"{text}{TEXT.slot('name')}{text}"
    end = "" if text.endswith("\n") else "\n"  # a page ends with its last line
    assert shown(page, TEXT, name=value) == f"{text}{value}{text}{end}"


def test_a_block_that_needs_a_value_goes_with_an_empty_one() -> None:
    page = f"{TEXT.when('name')}Hello {TEXT.slot('name')},\n{TEXT.end()}news:\n"
    assert shown(page, TEXT, name="Ann") == "Hello Ann,\nnews:\n"
    assert shown(page, TEXT) == "news:\n"


def test_blocks_within_blocks_go_with_the_values_that_they_need() -> None:
    inner = f"{TEXT.when('link')}at {TEXT.slot('link')} {TEXT.end()}"
    page = f"{TEXT.when('name')}{inner}for {TEXT.slot('name')}, {TEXT.slot('link')}{TEXT.end()}.\n"
    assert shown(page, TEXT, name="Ann", link="x") == "at x for Ann, x.\n"
    assert shown(page, TEXT, name="Ann") == "for Ann, .\n"
    assert shown(page, TEXT, link="x") == ".\n"
    assert shown(page, TEXT) == ".\n"


def test_a_body_is_the_same_for_the_first_reader_of_a_choice_and_for_the_next() -> None:
    page = f"{TEXT.when('name')}Hi {TEXT.slot('name')}! {TEXT.end()}See {TEXT.slot('link')}\nnews\n"
    body = Body((b"--\r\n", arranged(page, TEXT, {}), b"--\r\n"))
    for values in ({"name": "Ann", "link": "x"}, {"name": "", "link": "x"}, {"name": "", "link": ""}):
        first, *others = (b"".join(body.filled(values)) for _ in range(3))
        assert others == [first, first]


def test_slots_that_are_never_empty_need_no_choice_between_blocks() -> None:
    page = f"{TEXT.when('link')}at {TEXT.slot('link')}{TEXT.end()}\n"
    names = Names(anywhere=NAMES.anywhere, never_empty={"link"})
    arrangement = CompiledPage(compiled(page, TEXT, names)).arranged({}, {})
    assert [type(mark) for _, mark in arrangement.marks] == [Slot]
    assert b"".join(Body((arrangement,)).filled({"link": "x"})) == b"at =\r\nx=\r\n\r\n"


def test_blocks_of_a_kind_come_in_the_readers_order_and_only_the_chosen() -> None:
    page = "head\n" + "\n".join(block("item", n, f"paper {n}") for n in range(4)) + "\nfoot\n"
    assert shown(page, TEXT, {2: {}, 0: {}, 3: {}}) == "head\npaper 2\npaper 0\npaper 3\nfoot\n"
    assert shown(page, TEXT) == "head\n\nfoot\n"


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
    assert shown(page, TEXT, {1: {}, 0: {}}) == "ba|BA|yx\n"


def test_a_position_without_a_block_is_passed_over() -> None:
    page = block("item", 1, "one") + " " + block("item", 5, "five") + "\n"
    assert shown(page, TEXT, {0: {}, 5: {}, 3: {}, 1: {}}) == "five one\n"


def test_a_listings_values_stand_in_its_own_block_only() -> None:
    mark = f"{TEXT.when('matched')} ({TEXT.slot('matched')}){TEXT.end()}"
    page = block("item", 0, f"paper 0{mark}") + "\n" + block("item", 1, f"paper 1{mark}") + "\n"
    listings = {1: {"matched": "agents"}, 0: {"matched": ""}}
    assert shown(page, TEXT, listings) == "paper 1 (agents)\npaper 0\n"


def test_a_readers_value_may_stand_in_a_listings_block() -> None:
    inner = f"{TEXT.when('name')}for {TEXT.slot('name')}{TEXT.end()}"
    page = block("item", 0, inner) + "\n"
    assert shown(page, TEXT, {0: {"matched": ""}}, name="Ann") == "for Ann\n"
    assert shown(page, TEXT, {0: {"matched": ""}}) == "\n"


def test_html_marks_may_stand_between_table_rows() -> None:
    page = f"<table>{block('row', 0, '<tr><td>x</td></tr>', HTML)}</table>\n"
    assert shown(page, HTML, {0: {}}) == "<table><tr><td>x</td></tr></table>\n"


def test_text_that_looks_like_a_mark_of_another_rendering_is_text() -> None:
    other = Markers(html=False).slot("name")
    assert shown(f"{other}\n", TEXT) == f"{other}\n"


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (TEXT.slot("nobody"), "`slot.nobody` is unknown or out of place"),
        (TEXT.when("nobody") + TEXT.end(), "`when.nobody` is unknown or out of place"),
        (TEXT.slot("matched"), "`slot.matched` is unknown or out of place"),
        (TEXT.end(), "`end` is unknown or out of place"),
        (TEXT.when("name"), "`when.name` is never closed"),
        (f"%%{TEXT.nonce}.begin.item.0%%", "`begin.item.0` is never closed"),
        (block("item", 0, block("part", 0, "")), "`begin.part.0` is unknown or out of place in `begin.item.0`"),
        (
            block("item", 0, TEXT.when("name") + block("part", 0, "") + TEXT.end()),
            "`begin.part.0` is unknown or out of place",
        ),
        (block("item", 0, "a") + block("item", 0, "b"), "two blocks `item` belong to one listing"),
        (form("card", 0, "a") + form("card", 0, "b"), "two forms `card` belong to one listing"),
        (form("card", 0, form("card", 1, "")), "`form.card.1` is unknown or out of place in `form.card.0`"),
        (run("card"), "`run.card` is unknown or out of place"),
        (section("mine", section("also", "")), "`section.also` is unknown or out of place in `section.mine`"),
        (TEXT.slot("heading"), "`slot.heading` is unknown or out of place"),
        (TEXT.slot("name").replace("%%", "%25%25"), "a mark was spoilt"),
        (TEXT.slot("name").replace(".slot", ".blot"), "`blot.name` is unknown"),
    ],
)
def test_wrong_marks_are_named_when_the_page_is_compiled(page: str, complaint: str) -> None:
    with pytest.raises(RenderError, match="marks of the text part") as caught:
        compiled(page, TEXT, NAMES)
    assert complaint in str(caught.value)


def test_an_error_names_the_html_part() -> None:
    with pytest.raises(RenderError, match="marks of the HTML part"):
        compiled(HTML.end(), HTML, NAMES)

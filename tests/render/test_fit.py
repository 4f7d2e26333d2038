from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.issue.fit import FULL_UP_TO, fitted
from newsletter.render.mime.markers import Markers

MARKS = Markers(html=True, nonce="0" * 16)


def block(name: str, position: int, text: str) -> str:
    return MARKS.begin(name, position) + text + MARKS.end()


def page(count: int, *, full: int = 1000, brief: int = 300, line: int = 50) -> str:
    listings = "".join(
        block(
            "listing",
            position,
            block(
                "full_brief",
                position,
                f"<{position}>" + block("full", position, "F" * full) + block("brief", position, "B" * brief),
            )
            + block("line", position, f"<{position}>" + "L" * line),
        )
        for position in range(count)
    )
    contents = "".join(block("full_brief", item, block("toc", item, f"({item})")) for item in range(count))
    return f"head {MARKS.when('detailed')}toc:{contents}{MARKS.end()} {listings} foot"


def levels(html: str, count: int) -> str:
    """Return a letter per listing: F, B, L, or - where it is left out."""
    plain = MARKS.pattern.sub("", html)
    found = dict(re.findall(r"<(\d+)>([FBL])", plain))
    return "".join(found.get(str(position), "-") for position in range(count))


def test_a_short_issue_has_whole_abstracts() -> None:
    html, left_out = fitted(page(3), MARKS, 3)
    assert (levels(html, 3), left_out) == ("FFF", frozenset())


def test_a_longer_issue_has_brief_paragraphs() -> None:
    count = FULL_UP_TO + 1
    assert levels(fitted(page(count), MARKS, count)[0], count) == "B" * count


def test_what_gives_way_first_is_the_end_of_the_ranking() -> None:
    assert levels(fitted(page(8), MARKS, 8, budget=6000)[0], 8) == "FFFFFBBB"
    assert levels(fitted(page(8), MARKS, 8, budget=2200)[0], 8) == "BBBBBBLL"


def test_the_leaders_keep_their_paragraphs_as_long_as_they_fit() -> None:
    assert levels(fitted(page(8), MARKS, 8, budget=1650)[0], 8) == "BBBBBL--"
    assert levels(fitted(page(8), MARKS, 8, budget=800)[0], 8) == "BBLLL---"
    assert levels(fitted(page(8), MARKS, 8, budget=170)[0], 8) == "LL------"


def test_what_is_left_out_is_told() -> None:
    assert fitted(page(4), MARKS, 4, budget=170)[1] == {2, 3}


def test_the_contents_name_what_is_shown_in_detail_and_go_where_there_is_little_of_it() -> None:
    html, _ = fitted(page(14), MARKS, 14, budget=4200)
    assert levels(html, 14) == "B" * 13 + "L"
    assert f"toc:{''.join(f'({position})' for position in range(13))} " in MARKS.pattern.sub("", html)
    assert "toc:" not in fitted(page(14), MARKS, 14, budget=3500)[0]


def test_it_is_told_whether_any_listing_was_shortened() -> None:
    shortened_page = page(4) + MARKS.when("shortened") + "shortened" + MARKS.end()
    assert "shortened" not in fitted(shortened_page, MARKS, 4)[0]
    assert fitted(shortened_page, MARKS, 4, budget=900)[0].endswith("shortened")
    assert fitted(shortened_page, MARKS, 4, budget=170)[0].endswith("shortened")


def test_the_reader_s_marks_stay_and_those_of_left_out_listings_go() -> None:
    html, _ = fitted(page(2) + MARKS.when("name") + MARKS.slot("name") + MARKS.end(), MARKS, 2, budget=471)
    names = [match[1] for match in MARKS.pattern.finditer(html)]
    assert names == ["begin.listing.0", "end", "when.name", "slot.name", "end"]


def test_a_line_end_counts_as_the_two_bytes_that_it_will_be() -> None:
    assert fitted(block("listing", 0, "x\n"), MARKS, 1, budget=4)[1] == set()
    assert fitted(block("listing", 0, "x\n"), MARKS, 1, budget=3)[1] == {0}


def test_room_is_kept_for_the_reader_s_values() -> None:
    html = block("listing", 0, "x" + MARKS.slot("unsubscribe_url"))
    assert fitted(html, MARKS, 1, budget=302)[1] == set()
    assert fitted(html, MARKS, 1, budget=301)[1] == {0}


def test_room_is_kept_for_what_matches() -> None:
    html = "".join(block("listing", position, f"{position}{MARKS.slot('matched')}") for position in range(3))
    assert fitted(html, MARKS, 3, matched=[5, 0, 6], budget=15)[1] == set()
    assert fitted(html, MARKS, 3, matched=[5, 0, 7], budget=15)[1] == {2}
    assert fitted(html, MARKS, 3, budget=4)[1] == set()


@given(
    count=st.integers(0, 40),
    full=st.integers(1, 3000),
    brief=st.integers(1, 600),
    line=st.integers(1, 90),
    budget=st.integers(300, 20_000),
)
def test_a_page_never_exceeds_its_budget_and_never_raises_a_listing_over_a_better_one(
    count: int, full: int, brief: int, line: int, budget: int
) -> None:
    html, left_out = fitted(page(count, full=full, brief=brief, line=line), MARKS, count, budget=budget)
    assert len(MARKS.pattern.sub("", html).encode()) < budget
    chosen = levels(html, count)
    assert {position for position, letter in enumerate(chosen) if letter == "-"} == left_out
    assert list(chosen) == sorted(chosen, key="FBL-".index)

from __future__ import annotations

from datetime import date
from html import escape

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.layout import Sections
from newsletter.render.issue.clauses import cut
from newsletter.render.issue.fit import BUDGET, LONGEST_NAME, excess_of, fewer, room
from newsletter.render.mime.pieces import Slot
from newsletter.render.mime.segments import Arrangement

DAY = date(2026, 3, 12)


def sized(shown: Sections, size: int = 100) -> dict[str, dict[int, int]]:
    return {name: dict.fromkeys(positions, size) for name, positions in shown.named.items()}


def test_the_end_of_what_is_in_brief_goes_first() -> None:
    shown = Sections(lead=(0,), for_you=(1, 2), also_today=(3,), brief=(4, 5, 6))
    assert fewer(shown, sized(shown), 150) == Sections(lead=(0,), for_you=(1, 2), also_today=(3,), brief=(4,))


def test_then_cards_go_those_for_everybody_first_and_the_lead_stays() -> None:
    shown = Sections(lead=(0,), for_you=(1, 2), also_today=(3,), brief=(4,))
    assert fewer(shown, sized(shown), 250) == Sections(lead=(0,), for_you=(1,))
    assert fewer(shown, sized(shown), 10_000) == Sections(lead=(0,))


def test_of_a_week_the_lowest_ranks_go_whatever_their_day_and_are_not_named_elsewhere() -> None:
    shown = Sections(lead=(0,), days={DAY: (1, 4), None: (2, 3)}, rising=(4, 1), discussed=(3,))
    assert fewer(shown, sized(shown), 150) == Sections(lead=(0,), days={DAY: (1,), None: (2,)}, rising=(1,))


@given(
    cards=st.integers(0, 6),
    brief=st.integers(0, 40),
    sizes=st.lists(st.integers(1, 900), min_size=60, max_size=60),
    excess=st.integers(1, 20_000),
)
def test_as_few_go_as_it_takes(cards: int, brief: int, sizes: list[int], excess: int) -> None:
    shown = Sections(
        lead=(0,), for_you=tuple(range(1, cards + 1)), brief=tuple(range(cards + 1, cards + 1 + brief))
    )
    of = {name: {position: sizes[position] for position in positions} for name, positions in shown.named.items()}
    gone = sorted(set(shown.shown) - set(fewer(shown, of, excess).shown))
    assert gone == sorted(shown.shown)[len(shown.shown) - len(gone) :]
    freed = sum(sizes[position] for position in gone)
    assert freed >= excess or len(gone) == len(shown.shown) - 1
    assert freed - sizes[gone[0]] < excess if gone else len(shown.shown) == 1


def test_room_is_kept_for_values_as_often_as_they_stand_in_a_page() -> None:
    name, link = Slot("name", html=True), Slot("feedback_url", html=True)
    once, twice = room([name], {}), room([name, name], {})
    assert 0 < once == twice / 2
    assert room([link, name, link], {"feedback_url": 70}) == 140 + once
    assert room([link], {}) > 70


def test_room_is_kept_for_the_longest_name_with_a_mark_above_each_letter() -> None:
    name = cut('"\U0001d165' * 2 * LONGEST_NAME, LONGEST_NAME)
    whole = cut('"\U0001d165' * LONGEST_NAME, LONGEST_NAME)
    kept = room([Slot("name", html=True)], {})
    assert max(len(escape(name).encode()), len(escape(whole).encode())) <= kept


@given(over=st.integers(-3000, 3000), count=st.integers(0, 60), link=st.integers(0, 2000))
def test_a_page_fits_if_it_does_with_the_longest_values(over: int, count: int, link: int) -> None:
    slots, links = [Slot(name, html=True) for name in ("name", "feedback_url")] * count, {"feedback_url": link}
    size = BUDGET - room(slots, links) + over
    page = Arrangement(marks=list(enumerate(slots)), size=size)
    assert excess_of(page, links) == max(over, 0)

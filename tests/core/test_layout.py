from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.layout import Layout, sections

WHY = (Reason(ReasonKind.TOPIC, "agents"),)


def choice(matching: int, others: int) -> Choice:
    return Choice(tuple(range(matching + others)), (WHY,) * matching + ((),) * others)


def test_the_lead_comes_first_then_what_fits_the_wishes_then_what_everybody_gets() -> None:
    shown = sections(choice(8, 12), Layout(for_you=5, also_today=3))
    assert (shown.lead, shown.for_you, shown.also_today) == ((0,), (1, 2, 3, 4, 5), (8, 9, 10))
    assert shown.brief == (6, 7, *range(11, 20))


def test_without_wishes_all_cards_are_for_what_everybody_gets() -> None:
    shown = sections(choice(0, 20), Layout(for_you=5, also_today=3))
    assert (shown.lead, shown.for_you, shown.also_today) == ((0,), (), tuple(range(1, 9)))


def test_with_few_papers_all_are_cards() -> None:
    shown = sections(choice(2, 4), Layout(for_you=0, also_today=0))
    assert (shown.is_roomy, shown.for_you, shown.also_today, shown.brief) == (True, (1,), (2, 3, 4, 5), ())
    assert not sections(choice(3, 4), Layout()).is_roomy


@given(
    st.integers(0, 9),
    st.integers(0, 9),
    st.builds(Layout, for_you=st.integers(0, 9), also_today=st.integers(0, 9)),
)
def test_each_paper_stands_in_one_section(matching: int, others: int, layout: Layout) -> None:
    one = choice(matching, others)
    shown = sections(one, layout)
    everything = (*shown.lead, *shown.for_you, *shown.also_today, *shown.brief)
    assert sorted(everything) == list(one.positions)


@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.builds(Layout, for_you=st.integers(0, 4), also_today=st.integers(0, 4), in_brief=st.integers(0, 6)),
)
def test_a_mail_has_no_more_lines_than_its_list_says(matching: int, others: int, layout: Layout) -> None:
    one = choice(matching, others)
    before, kept = sections(one, layout), layout.within(one)
    shown = sections(kept, layout)
    assert shown.brief == before.brief[: layout.in_brief] or shown.is_roomy
    assert kept.positions[:1] == one.positions[:1]
    assert set(before.for_you) | set(before.also_today) <= set(kept.positions)
    assert len(kept.positions) == len(kept.reasons)
    assert layout.most(0) == 1 + layout.for_you + layout.also_today + (layout.in_brief or 0)


def test_a_list_that_names_no_lines_has_as_many_as_there_are() -> None:
    assert Layout().within(choice(8, 40)) == choice(8, 40)
    assert (Layout().most(20), Layout().most(0)) == (20, 0)

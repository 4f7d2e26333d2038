from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.diff import MOST_CANDIDATES, competing, days_to_read, eligible, first_day, select, too_few
from newsletter.core.listing import Candidate
from newsletter.core.newsletter_list import Cadence
from newsletter.core.ranking import Measured
from tests.core.candidates import DAY, NOON, YESTERDAY, candidate, papers, sighting

days = st.dates(DAY - timedelta(days=40), DAY)


def test_the_look_back_reads_the_day_and_those_before_it() -> None:
    assert days_to_read(DAY, 2) == (date(2026, 3, 10), date(2026, 3, 11), DAY)


def test_days_without_an_issue_are_read_too() -> None:
    assert days_to_read(DAY, 1, previous=date(2026, 3, 8))[0] == date(2026, 3, 8)


def test_a_page_that_was_never_settled_is_read_again() -> None:
    assert days_to_read(DAY, 1, unsettled=[date(2026, 3, 3)]) == (date(2026, 3, 3), date(2026, 3, 11), DAY)


@given(st.integers(0, 10), st.sets(days), st.none() | days)
def test_the_look_back_is_bounded_and_never_reaches_behind_the_day(
    lookback: int, unsettled: set[date], previous: date | None
) -> None:
    found = days_to_read(DAY, lookback, unsettled=unsettled, previous=previous)
    assert found[-1] == DAY
    assert list(found) == sorted(set(found))
    assert found[0] >= DAY - timedelta(days=14)
    assert {DAY - timedelta(days=n) for n in range(lookback + 1)} <= set(found)


@given(st.integers(0, 10), st.none() | st.dates(DAY, DAY + timedelta(days=9)))
def test_issues_of_the_same_or_a_later_day_do_not_move_the_window(lookback: int, previous: date | None) -> None:
    assert first_day(DAY, lookback, previous) == DAY - timedelta(days=lookback)


def test_an_old_listing_competes_only_if_it_is_news() -> None:
    old = candidate(1, listed_on=date(2026, 3, 1))
    assert eligible([old], since=date(2026, 3, 9), news_since=None) == []
    assert eligible([old], since=date(2026, 3, 9), news_since=NOON) == []
    assert eligible([old], since=date(2026, 3, 9), news_since=NOON - timedelta(hours=1)) == [old]
    assert eligible([old], since=date(2026, 3, 1), news_since=None) == [old]


@given(st.lists(st.integers(1, 30)), st.sets(st.integers(1, 30)))
def test_what_competed_before_does_not_compete_again(keys: list[int], before: set[int]) -> None:
    candidates = [candidate(key) for key in keys]
    fresh = competing(candidates, before, among=Measured(candidates, NOON), leaders=0)
    assert [one.key for one in fresh] == [key for key in dict.fromkeys(keys) if key not in before]


def seen_twice(key: int, then: int | None, now: int) -> Candidate:
    """Return a candidate with its votes at the last issue, and an hour after it."""
    looks = [] if then is None else [sighting(upvotes=then, position=key)]
    return candidate(key, *looks, sighting(upvotes=now, position=key, seen_at=NOON + timedelta(hours=1)))


def test_what_rose_among_the_leaders_since_the_last_issue_competes_again() -> None:
    stays, falls, rises, grows = (
        seen_twice(*votes) for votes in ((1, 50, 60), (2, 40, 40), (3, 3, 90), (4, 1, 30))
    )
    everything = [stays, falls, rises, grows]

    def again(leaders: int, previous_at: datetime | None = NOON) -> set[int]:
        keys = {one.key for one in everything}
        found = competing(everything, keys, among=Measured(everything, previous_at), leaders=leaders)
        return {one.key for one in found}

    assert again(leaders=2) == {3}
    assert again(leaders=1) == {3}
    assert again(leaders=4) == set()
    assert again(leaders=0) == set()
    assert again(leaders=2, previous_at=None) == set()


def test_what_was_not_seen_then_has_risen_from_nowhere() -> None:
    everything = [seen_twice(1, 9, 9), seen_twice(2, None, 20)]
    assert competing(everything, {1, 2}, among=Measured(everything, NOON), leaders=1) == [everything[1]]


def test_what_everybody_has_had_competes_for_the_others_after_all_that_is_new() -> None:
    page = [candidate(key, upvotes=votes) for key, votes in ((1, 90), (2, 5), (3, 70))]
    draft = select(page, papers(2), DAY, number=1, had={1})
    assert [one.key for one in draft.listings] == [3, 2, 1]
    assert draft.candidates == 2
    assert draft.closed(0, "", NOON).length == 2
    assert too_few(select(page[:1], papers(), DAY, number=1, had={1}), papers()) != ""


@given(
    st.lists(
        st.builds(candidate, st.integers(1, 10**6), upvotes=st.none() | st.integers(0, 9), listed_on=days),
        unique_by=lambda one: one.key,
    ),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_selection_does_not_depend_on_the_order_it_is_given(
    candidates: list[Candidate], limit: int, shuffler: random.Random
) -> None:
    shuffled = candidates[:]
    shuffler.shuffle(shuffled)
    draft = select(candidates, papers(limit), DAY, number=1)
    assert draft == select(shuffled, papers(limit), DAY, number=1)
    assert draft.candidates == len(candidates)
    assert {one.key for one in draft.listings} == {one.key for one in candidates}
    assert [one.rank for one in draft.listings] == list(range(1, len(draft.listings) + 1))
    length = draft.closed(0, "", NOON).length
    assert length == (min(limit, len(candidates)) if limit else len(candidates))
    for part in (draft.listings[:length], draft.listings[length:]):
        assert [one.score for one in part] == sorted((one.score for one in part), reverse=True)


def test_papers_without_votes_keep_the_order_of_their_page_and_need_no_reason() -> None:
    page = [candidate(key, position=position) for position, key in enumerate([5, 3, 9, 1])]
    draft = select(page, papers(), DAY, number=1)
    assert [one.key for one in draft.listings] == [5, 3, 9, 1]
    assert {one.reasons for one in draft.listings} == {()}


def test_reasons_say_why_a_paper_is_in() -> None:
    many, one, none = (candidate(key, upvotes=votes) for key, votes in ((1, 128), (2, 1), (3, None)))
    reasons = [item.reasons for item in select([many, one, none], papers(), DAY, number=1).listings]
    assert reasons == [("128 upvotes",), ("1 upvote",), ("new",)]


def test_the_first_half_of_an_issue_is_for_the_leaders_of_each_day() -> None:
    quiet = [candidate(key, listed_on=YESTERDAY, upvotes=1) for key in range(1, 21)]
    loud = [candidate(key, upvotes=900 + key) for key in range(21, 41)]
    draft = select([*quiet, *loud], papers(4), DAY, number=1)
    assert [one.key for one in draft.listings[:4]] == [40, 39, 1, 2]


def test_a_weekly_issue_has_the_most_upvoted_whatever_their_day() -> None:
    quiet = [candidate(key, listed_on=YESTERDAY, upvotes=key) for key in range(1, 21)]
    loud = [candidate(key, upvotes=900 + key) for key in range(21, 41)]
    draft = select([*quiet, *loud], papers(4, cadence=Cadence.WEEKLY), DAY, number=1)
    assert [one.key for one in draft.listings[:4]] == [40, 39, 38, 37]


def test_an_issue_that_is_long_enough_needs_no_reason() -> None:
    assert too_few(select([candidate(1)], papers(), DAY, number=1), papers()) == ""


def test_why_there_is_no_issue_is_said() -> None:
    one = candidate(1)
    few = select([one], papers(min_listings=3), DAY, number=1, among=Measured([one], None))
    assert too_few(few, papers(min_listings=3)) == (
        "new listings: 1; the list wants 3, so they wait for the next issue"
    )
    known = select([], papers(), DAY, number=1, among=Measured([one], None))
    assert too_few(known, papers()) == "nothing new: what is listed on 2026-03-12 came in earlier issues"
    holiday = select([], papers(), DAY, number=1, among=Measured([candidate(1, listed_on=YESTERDAY)], None))
    assert too_few(holiday, papers()) == "nothing new: no source lists anything on 2026-03-12"


def test_an_issue_of_a_list_with_a_limit_holds_its_first_candidates_and_counts_the_others() -> None:
    page = [candidate(key, upvotes=key) for key in range(1, MOST_CANDIDATES + 11)]
    draft = select(page, papers(20), DAY, number=1)
    assert [one.key for one in draft.listings] == list(range(MOST_CANDIDATES + 10, 10, -1))
    assert (draft.candidates, draft.left_out) == (MOST_CANDIDATES + 10, 10)
    everything = select(page, papers(0), DAY, number=1)
    assert (len(everything.listings), everything.left_out) == (MOST_CANDIDATES + 10, 0)
    assert select(page, papers(MOST_CANDIDATES + 5), DAY, number=1).left_out == 5
    assert select(page[:20], papers(20), DAY, number=1).left_out == 0

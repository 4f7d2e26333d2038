from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.listing import Candidate
from newsletter.core.ranking import VOTES_ONLY, Measured, Occasion, Ranked, Weights, fitting, ranked
from tests.core.candidates import DAY, NOON, YESTERDAY, candidate, sighting

MORNING = NOON - timedelta(days=1)
TODAY = Occasion(day=DAY, previous_day=YESTERDAY, previous_at=MORNING)
FIRST = Occasion(day=DAY)


def order(*candidates: Candidate, occasion: Occasion = FIRST, weights: Weights | None = None) -> list[int]:
    return [one.candidate.key for one in ranked(candidates, occasion, weights or Weights())]


def only(one: Candidate, occasion: Occasion = FIRST) -> Ranked:
    return ranked([one], occasion, Weights())[0]


def test_more_votes_go_first() -> None:
    assert order(candidate(1, upvotes=3), candidate(2, upvotes=30), candidate(3, upvotes=0)) == [2, 1, 3]


@pytest.mark.parametrize("measure", ["comments", "stars"])
def test_of_equal_votes_comments_and_stars_decide(measure: str) -> None:
    plain = candidate(1, upvotes=8, **{measure: 1})
    assert order(plain, candidate(2, upvotes=8, position=1, **{measure: 40})) == [2, 1]


def test_growth_lifts_a_paper_above_one_that_has_had_its_votes_for_long() -> None:
    stale = candidate(1, sighting(YESTERDAY, seen_at=MORNING, upvotes=30), sighting(YESTERDAY, upvotes=30))
    rising = candidate(2, sighting(YESTERDAY, seen_at=MORNING, upvotes=5), sighting(YESTERDAY, upvotes=30))
    assert order(stale, rising, occasion=TODAY) == [2, 1]


def test_new_stars_lift_a_paper_and_those_of_an_old_repository_are_not_new() -> None:
    grown = candidate(
        1, sighting(YESTERDAY, seen_at=MORNING, upvotes=1, stars=500), sighting(YESTERDAY, stars=900)
    )
    known = candidate(
        2, sighting(YESTERDAY, seen_at=MORNING, upvotes=1, stars=900), sighting(YESTERDAY, stars=900)
    )
    unseen = candidate(3, sighting(YESTERDAY, upvotes=1, stars=900))
    stars_alone = Weights(votes=0, growth=0)
    scores = {one.candidate.key: one.score for one in ranked([grown, known, unseen], TODAY, stars_alone)}
    assert scores[1] > scores[2] == scores[3]


def test_the_votes_that_a_paper_had_at_first_are_those_of_the_page_where_it_has_most_now() -> None:
    one = candidate(
        1,
        sighting(YESTERDAY, seen_at=MORNING, upvotes=97),
        sighting(YESTERDAY, upvotes=147),
        sighting(source="other", upvotes=3),
        sighting(source="hackernews", upvotes=500),
    )
    assert (only(one).first_upvotes, only(one).upvotes) == (97, 147)
    assert only(candidate(2, source="hackernews", upvotes=80)).first_upvotes is None


def test_points_on_hacker_news_are_a_signal_and_no_votes() -> None:
    told = candidate(
        1, sighting(upvotes=5, comments=2), sighting(source="hackernews:20", upvotes=250, comments=90, position=7)
    )
    silent = candidate(2, upvotes=5, position=1)
    assert order(silent, told) == [1, 2]
    first = only(told)
    assert (first.upvotes, first.comments, first.position) == (5, 2, 0)
    assert first.reasons == ("5 upvotes", "250 points on Hacker News")


def test_what_only_hacker_news_shows_has_its_comments() -> None:
    one = only(candidate(1, source="hackernews", upvotes=80, comments=12))
    assert (one.upvotes, one.comments, one.standing) == (None, 12, None)
    assert one.reasons == ("80 points on Hacker News",)


def test_each_day_of_age_costs() -> None:
    assert order(candidate(1, listed_on=YESTERDAY, upvotes=9), candidate(2, upvotes=9)) == [2, 1]


def test_votes_are_held_against_their_own_day() -> None:
    # Thursday's page has a tenth of Wednesday's votes so far; its best is worth more than Wednesday's second.
    wednesday = [candidate(key, listed_on=YESTERDAY, upvotes=votes) for key, votes in ((1, 200), (2, 60), (3, 40))]
    thursday = [candidate(key, upvotes=votes) for key, votes in ((4, 20), (5, 3), (6, 1))]
    assert order(*wednesday, *thursday)[:3] == [4, 1, 2]


def test_a_week_is_ranked_by_votes_alone_whatever_the_day() -> None:
    wednesday = [candidate(key, listed_on=YESTERDAY, upvotes=votes) for key, votes in ((1, 200), (2, 60), (3, 40))]
    thursday = [candidate(4, upvotes=50, comments=99), candidate(5, upvotes=3, stars=10**6)]
    week = replace(FIRST, whole=True)
    assert order(*wednesday, *thursday, occasion=week, weights=VOTES_ONLY) == [1, 2, 4, 3, 5]


def test_sent_papers_of_the_page_are_what_the_others_are_held_against() -> None:
    late = candidate(9, listed_on=YESTERDAY, upvotes=20)
    sent = [candidate(key, listed_on=YESTERDAY, upvotes=100 - key) for key in range(1, 6)]
    assert ranked([late], TODAY, Weights(), among=Measured([*sent, late], None))[0].standing == 6
    assert ranked([late], TODAY, Weights())[0].standing == 1


def test_a_paper_on_two_pages_counts_where_it_stands_best() -> None:
    both = candidate(1, sighting(YESTERDAY, upvotes=2), sighting(DAY, upvotes=9))
    others = [candidate(2, listed_on=YESTERDAY, upvotes=50), candidate(3, listed_on=DAY, upvotes=4)]
    result = {one.candidate.key: one for one in ranked([both, *others], TODAY, Weights())}
    assert result[1].standing == 1
    assert result[1].upvotes == 9


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (Weights(), [1, 2, 3]),
        (Weights(votes=0, growth=0, comments=1), [2, 3, 1]),
        (Weights(votes=0, growth=0, comments=0, stars=1), [3, 2, 1]),
    ],
)
def test_the_lists_weights_decide_what_counts(weights: Weights, expected: list[int]) -> None:
    page = [
        candidate(1, upvotes=50),
        candidate(2, upvotes=20, comments=30, stars=2),
        candidate(3, upvotes=9, comments=4, stars=7000),
    ]
    assert order(*page, weights=weights) == expected


def test_a_page_without_votes_keeps_its_order_whatever_else_it_counts() -> None:
    page = [
        candidate(key, source="saved_page:p.txt", position=position, comments=comments, stars=comments)
        for position, (key, comments) in enumerate([(5, None), (3, 40), (9, 1), (1, 7)])
    ]
    assert order(*reversed(page)) == [5, 3, 9, 1]


def test_the_newest_page_without_votes_goes_first() -> None:
    old = [candidate(key, source="feed", listed_on=YESTERDAY, position=key) for key in (1, 2)]
    new = [candidate(key, source="feed", position=key) for key in (3, 4)]
    assert order(*old, *new) == [3, 4, 1, 2]


@pytest.mark.parametrize(
    ("one", "reasons"),
    [
        (candidate(1, upvotes=1), ("1 upvote",)),
        (candidate(1, upvotes=1280), ("1,280 upvotes",)),
        (candidate(1), ("new",)),
        (candidate(1, upvotes=0), ("new",)),
        (candidate(1, listed_on=YESTERDAY), ("new",)),
        (candidate(1, listed_on=YESTERDAY, upvotes=12), ("12 upvotes", "rose late")),
        (
            candidate(1, sighting(YESTERDAY, seen_at=MORNING, upvotes=82), sighting(YESTERDAY, upvotes=128)),
            ("128 upvotes", "+46 since yesterday", "rose late"),
        ),
        (
            candidate(1, sighting(YESTERDAY, seen_at=MORNING, upvotes=9), sighting(YESTERDAY, upvotes=9)),
            ("9 upvotes", "rose late"),
        ),
    ],
)
def test_reasons_say_in_words_why_a_paper_is_in(one: Candidate, reasons: tuple[str, ...]) -> None:
    assert only(one, TODAY).reasons == reasons


def test_growth_over_more_than_a_day_is_since_the_last_issue() -> None:
    monday = Occasion(day=DAY, previous_day=DAY - timedelta(days=3), previous_at=MORNING)
    one = candidate(1, sighting(YESTERDAY, seen_at=MORNING, upvotes=5), sighting(YESTERDAY, upvotes=25))
    assert only(one, monday).reasons == ("25 upvotes", "+20 since the last issue")


def test_in_a_first_issue_nothing_rose_late() -> None:
    assert only(candidate(1, listed_on=YESTERDAY, upvotes=12)).reasons == ("12 upvotes",)


sightings = st.builds(
    sighting,
    st.dates(DAY - timedelta(days=5), DAY),
    source=st.sampled_from(["huggingface", "arxiv:cs.CL", "hackernews"]),
    upvotes=st.none() | st.integers(0, 10**6),
    comments=st.none() | st.integers(0, 10**4),
    stars=st.none() | st.integers(0, 10**6),
    position=st.integers(0, 9),
    seen_at=st.sampled_from([MORNING, NOON]),
)
fields = st.lists(st.lists(sightings, min_size=1, max_size=3), max_size=30).map(
    lambda found: [
        candidate(key, *sorted(some, key=lambda one: one.seen_at)) for key, some in enumerate(found, start=1)
    ]
)


@given(fields, st.randoms(use_true_random=False), st.integers(0, 8), st.integers(0, 4))
def test_neither_order_nor_room_depends_on_how_candidates_come(
    candidates: list[Candidate], shuffler: random.Random, limit: int, leaders: int
) -> None:
    result = ranked(candidates, TODAY, Weights())
    shuffled = candidates[:]
    shuffler.shuffle(shuffled)
    assert ranked(shuffled, TODAY, Weights()) == result
    room = fitting(result, limit, leaders=leaders)
    assert len(room) == (min(limit, len(result)) if limit else len(result))
    assert room == [one for one in result if one in room]


@given(fields)
def test_scores_fall_and_every_listing_has_a_reason(candidates: list[Candidate]) -> None:
    result = ranked(candidates, TODAY, Weights())
    assert [one.score for one in result] == sorted((one.score for one in result), reverse=True)
    assert all(one.reasons for one in result)


def test_leaders_of_each_page_go_before_all_others() -> None:
    loud = [candidate(key, upvotes=1000 - key) for key in range(1, 9)]
    quiet = [candidate(key, listed_on=YESTERDAY, upvotes=30 - key) for key in range(11, 19)]
    result = ranked([*loud, *quiet], FIRST, Weights(freshness=9))
    assert {one.candidate.key for one in fitting(result, 4, leaders=0)} == {1, 2, 3, 4}
    assert {one.candidate.key for one in fitting(result, 4, leaders=2)} == {1, 2, 11, 12}
    assert {one.candidate.key for one in fitting(result, 3, leaders=2)} == {1, 2, 11}


def test_a_score_is_what_its_parts_come_to_and_each_part_goes_by_its_own_weight() -> None:
    one = candidate(1, sighting(DAY - timedelta(days=2), upvotes=7, comments=4, stars=200))
    known = Weights()
    whole = ranked([one], FIRST, known)[0]
    assert whole.score == pytest.approx(sum(whole.parts))
    assert whole.parts.freshness == -2 * known.freshness
    for name in ("votes", "growth", "comments", "stars", "freshness"):
        without = ranked([one], FIRST, replace(known, **{name: 0.0}))[0]
        assert without.parts == whole.parts._replace(**{name: 0.0})
        assert getattr(whole.parts, name) != 0

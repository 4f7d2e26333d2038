from __future__ import annotations

import json
from datetime import date

from newsletter.backtest.results import SHARES, Made, Reach, measured
from newsletter.core.listing import Candidate
from tests import factories
from tests.core.candidates import DAY, YESTERDAY, candidate, sighting


def issue(day: date, *keys: int) -> Made:
    listings = tuple(
        factories.issue_listing(candidate(key).listing, rank, key=key, listed_on=YESTERDAY)
        for rank, key in enumerate(keys, start=1)
    )
    return Made(listings, "")


def page(day: date, votes: dict[int, int | None]) -> list[Candidate]:
    return [candidate(key, listed_on=day, upvotes=count, position=key) for key, count in votes.items()]


def test_shares_are_of_the_most_upvoted() -> None:
    yesterday = page(YESTERDAY, {key: 100 - key for key in range(1, 13)})
    result = measured(
        {YESTERDAY: yesterday, DAY: []},
        {YESTERDAY: issue(YESTERDAY, 1, 2, 11), DAY: issue(DAY, 3, 4, 5, 6)},
        closing=None,
    )
    assert result.total("top5_same_day") == Reach(2, 5)
    assert result.total("top5_next_issue") == Reach(5, 5)
    assert result.total("top10_same_day") == Reach(2, 10)
    assert result.total("top10_next_issue") == Reach(6, 10)
    assert [(day.listed, day.mailed, day.late) for day in result.days] == [(12, 3, 0), (0, 4, 4)]


def test_a_paper_that_came_before_its_day_was_reached() -> None:
    result = measured({DAY: page(DAY, {7: 9})}, {YESTERDAY: issue(YESTERDAY, 7), DAY: issue(DAY)}, closing=None)
    assert result.total("top5_same_day").share == 1


def test_where_nobody_votes_there_are_no_shares() -> None:
    news = sighting(source="hackernews", upvotes=300)
    result = measured({DAY: [*page(DAY, {1: None}), candidate(2, news)]}, {DAY: issue(DAY, 1)}, closing=None)
    assert {result.total(share).share for share in SHARES} == {None}


def test_a_paper_in_two_issues_is_counted_by_what_it_is() -> None:
    twice = {YESTERDAY: issue(YESTERDAY, 1, 2), DAY: issue(DAY, 2, 3)}
    assert measured({DAY: page(DAY, {1: 1, 2: 1, 3: 1})}, twice, closing=None).mailed_twice == 1


def test_the_json_is_as_promised() -> None:
    result = measured({DAY: page(DAY, {1: 5, 2: 3})}, {DAY: issue(DAY, 1)}, closing=DAY, left_out=("feed:x",))
    assert json.loads(json.dumps(result.as_json())) == {
        "days": [
            {
                "date": "2026-03-12",
                "listed": 2,
                "mailed": 1,
                "late": 1,
                "reason": "",
                "top5_same_day": 0.5,
                "top5_next_issue": 0.5,
                "top10_same_day": 0.5,
                "top10_next_issue": 0.5,
            }
        ],
        "totals": {
            "listed": 2,
            "mailed": 1,
            "mailed_twice": 0,
            "top5_same_day": 0.5,
            "top5_next_issue": 0.5,
            "top10_same_day": 0.5,
            "top10_next_issue": 0.5,
        },
        "closing_issue": "2026-03-12",
        "left_out": ["feed:x"],
    }

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter.core.calendar import planner, slot_on
from newsletter.core.choice import Choice
from newsletter.core.choosing import Chooser
from newsletter.core.delivery import Planned
from newsletter.core.issue import IssueListing
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.topics import Topic, TopicsMode
from tests.core.candidates import DAY, papers, planning

TITLES = ("Fish", "Agents at work", "Graph networks", "More agents")
LISTINGS = [
    IssueListing(key=100 + rank, rank=rank, listing=Listing(title=title), listed_on=DAY)
    for rank, title in enumerate(TITLES, start=1)
]
TOPICS = {"agents": Topic(name="agents", keywords=("agent",)), "birds": Topic(name="birds", keywords=("bird",))}
LIST = papers(topics=TOPICS)
TERMS = Terms.of(LIST)
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)


def reader(
    *topics: str, mode: TopicsMode | None = None, interest: str = "", cadence: Cadence | None = None
) -> Subscriber:
    return Subscriber(
        list="daily", email="r@example.org", topics=topics, topics_mode=mode, interest=interest, cadence=cadence
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (reader(), (0, 1, 2, 3)),
        (reader("agents"), (1, 3, 0, 2)),
        (reader("agents", mode=TopicsMode.ONLY), (1, 3)),
        (reader(interest="graph networks"), (2, 0, 1, 3)),
        (reader("agents", interest="graphs", mode=TopicsMode.ONLY), (2, 1, 3)),
        (reader("birds", mode=TopicsMode.ONLY), ()),
    ],
)
def test_each_reader_gets_what_they_asked_for(one: Subscriber, expected: tuple[int, ...]) -> None:
    assert Chooser(LISTINGS, TERMS).of(one).positions == expected


def test_the_list_says_what_readers_get_who_have_not_chosen() -> None:
    choices = Chooser(LISTINGS, replace(TERMS, topics_mode=TopicsMode.ONLY))
    assert choices.of(reader("agents")).positions == (1, 3)
    assert choices.of(reader("agents", mode=TopicsMode.FIRST)).positions == (1, 3, 0, 2)
    assert choices.of(reader()).positions == (0, 1, 2, 3)


def test_nobody_gets_a_listing_twice() -> None:
    assert Chooser(LISTINGS, TERMS).of(reader(), frozenset({102, 104, 999})).positions == (0, 2)


def plan(one: Subscriber) -> Planned:
    return planning(LIST, slot_on(LIST, DAY), NOW, at_once=True, choose=Chooser(LISTINGS, TERMS).of)(one)


def test_who_gets_something_gets_a_mail_with_it() -> None:
    fish = Choice(positions=(0, 1, 2, 3), topics=((), (), (), ()))
    assert plan(reader("birds")) == Planned(due_at=NOW, choice=fish, subject="Papers")
    agents = Choice(positions=(1, 3), topics=(("agents",), ("agents",)))
    assert plan(reader("agents", mode=TopicsMode.ONLY)) == Planned(due_at=NOW, choice=agents, subject="Papers")


def test_who_gets_nothing_gets_no_mail_and_the_reason_is_kept() -> None:
    birds = reader("birds", interest="trains", mode=TopicsMode.ONLY)
    assert plan(birds) == Planned(due_at=None, reason="nothing new in it for birds, your interest")


def test_who_had_all_of_it_gets_no_mail() -> None:
    again = planner(
        LIST,
        slot_on(LIST, DAY),
        NOW,
        at_once=True,
        choose=Chooser(LISTINGS, TERMS).of,
        subject_of=lambda _: "Papers",
    )
    assert again(reader(), frozenset({101, 102, 103})).choice.positions == (3,)
    had = again(reader(), frozenset({101, 102, 103, 104}))
    assert had == Planned(due_at=None, reason="nothing new in it for this reader")


def test_a_weekly_edition_is_for_those_who_want_one_a_week() -> None:
    edition = LIST.weekly_edition
    assert edition is not None
    weekly = planning(edition, slot_on(edition, DAY), NOW, at_once=True)
    assert weekly(reader(cadence=Cadence.WEEKLY)).due_at == NOW
    assert weekly(reader()) == Planned(due_at=None, reason="wants a daily issue, this one is weekly")
    assert plan(reader(cadence=Cadence.WEEKLY)).due_at is None

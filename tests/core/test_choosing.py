from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.calendar import planner, slot_on
from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.choosing import ChoiceWeights, Chooser, chooser
from newsletter.core.delivery import Planned
from newsletter.core.follows import read_follow
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.layout import Layout, sections
from newsletter.core.likeness import Example, Opinion
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.topics import Topic, TopicsMode
from tests.core.candidates import DAY, papers, planning

TITLES = ("Fish", "Agents at work", "Graph networks", "More agents")
AUTHORS = ((), (), (), ("Ann Bé",))
LISTINGS = [
    IssueListing(key=100 + rank, rank=rank, listing=Listing(title=title, authors=authors), listed_on=DAY)
    for rank, (title, authors) in enumerate(zip(TITLES, AUTHORS, strict=True), start=1)
]
TOPICS = {"agents": Topic(name="agents", keywords=("agent",)), "birds": Topic(name="birds", keywords=("bird",))}
AGENT = Reason(ReasonKind.TOPIC, "agents", "agent")
LIST = papers(topics=TOPICS)
TERMS = Terms.of(LIST)
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)


def reader(
    *topics: str,
    mode: TopicsMode | None = None,
    interest: str = "",
    follows: str = "",
    cadence: Cadence | None = None,
) -> Subscriber:
    return Subscriber(
        list="daily",
        email="r@example.org",
        topics=topics,
        topics_mode=mode,
        interest=interest,
        follows=tuple(read_follow(one) for one in follows.split(";") if one),
        cadence=cadence,
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (reader(), (0, 1, 2, 3)),
        (reader("agents"), (1, 3, 0, 2)),
        (reader("agents", mode=TopicsMode.ONLY), (1, 3)),
        (reader(interest="graph networks"), (2, 0, 1, 3)),
        (reader("agents", interest="graphs", mode=TopicsMode.ONLY), (2, 1, 3)),
        (reader("agents", follows="keyword: fish", mode=TopicsMode.ONLY), (0, 1, 3)),
        (reader("agents", follows="author: Ann Bé"), (3, 1, 0, 2)),
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


def test_each_reader_gets_the_best_of_all_candidates_up_to_the_lists_limit() -> None:
    chooser = Chooser(LISTINGS, replace(TERMS, max_listings=2))
    assert chooser.of(reader()).positions == (0, 1)
    assert chooser.of(reader("agents")).positions == (1, 3)
    assert chooser.of(reader(interest="graphs")).positions == (2, 0)
    assert chooser.of(reader(), frozenset({101})).positions == (1, 2)


def test_each_paper_says_why_it_is_there() -> None:
    one = reader("agents", follows="author: Ann Bé;keyword: fish", interest="graph networks")
    choice = Chooser(LISTINGS, TERMS).of(one)
    assert dict(zip(choice.positions, choice.reasons, strict=True)) == {
        3: (Reason(ReasonKind.AUTHOR, "Ann Bé"), AGENT),
        2: (Reason(ReasonKind.INTEREST, word="graph"),),
        0: (Reason(ReasonKind.KEYWORD, "fish"),),
        1: (AGENT,),
    }


def listings(*titles: str) -> list[IssueListing]:
    return [
        IssueListing(key=rank, rank=rank, listing=Listing(title=title), listed_on=DAY)
        for rank, title in enumerate(titles, start=1)
    ]


def test_what_matches_more_wishes_comes_before_what_matches_one() -> None:
    terms = replace(TERMS, topics={name: Topic(name=name, keywords=(name,)) for name in ("fish", "birds")})
    page = listings("Fish", "A fish and birds", "Birds")
    assert Chooser(page, terms).of(reader("fish", "birds")).positions == (1, 0, 2)


def test_the_first_papers_for_a_reader_are_not_versions_of_one_thing() -> None:
    page = listings(
        "Agents that plan long trips",
        "Agents that plan longer trips",
        "Agents that plan the longest trips",
        "Teams of agents in games",
        "Other news",
    )
    chosen = Chooser(page, replace(TERMS, layout=Layout(for_you=1))).of(reader("agents"))
    assert chosen.positions == (0, 3, 1, 2, 4)


titles = st.lists(
    st.sampled_from(["fish", "agents", "agents and fish", "birds of a graph", "graphs", ""]), max_size=12
)
readers = st.builds(
    reader,
    *[st.sampled_from(["agents", "birds", "gone"])] * 2,
    mode=st.sampled_from([None, *TopicsMode]),
    interest=st.sampled_from(["", "graphs", "fish and chips"]),
    follows=st.sampled_from(
        ["", "keyword: fish", "keyword: graphs;organization: none", "author: Ann Bé;keyword: birds"]
    ),
)


@given(titles, readers, st.integers(0, 5), st.sets(st.integers(1, 12)))
def test_nothing_comes_twice_and_nothing_that_fits_is_left_out_for_what_does_not(
    page: list[str], one: Subscriber, most: int, had: set[int]
) -> None:
    everything = listings(*page)
    everyone = Chooser(everything, TERMS).of(one, frozenset(had))
    choice = Chooser(everything, replace(TERMS, max_listings=most)).of(one, frozenset(had))
    assert len(set(choice.positions)) == len(choice.positions) <= (most or len(page))
    assert not {everything[position].key for position in choice.positions} & had
    fits = [bool(why) for why in choice.reasons]
    assert fits == sorted(fits, reverse=True)
    assert sum(fits) == min(sum(map(bool, everyone.reasons)), most or len(page))
    if (one.topics_mode or TERMS.topics_mode) is TopicsMode.FIRST:
        assert len(choice.positions) == min(
            len(everything) - len(had & {item.key for item in everything}), most or 99
        )


def plan(one: Subscriber) -> Planned:
    return planning(LIST, slot_on(LIST, DAY), NOW, at_once=True, choose=Chooser(LISTINGS, TERMS).of)(one)


def test_who_gets_something_gets_a_mail_with_it() -> None:
    fish = Choice(positions=(0, 1, 2, 3), reasons=((), (), (), ()))
    assert plan(reader("birds")) == Planned(due_at=NOW, choice=fish, subject="Papers")
    agents = Choice(positions=(1, 3), reasons=((AGENT,), (AGENT,)))
    assert plan(reader("agents", mode=TopicsMode.ONLY)) == Planned(due_at=NOW, choice=agents, subject="Papers")


def test_who_gets_nothing_gets_no_mail_and_the_reason_is_kept() -> None:
    birds = reader("birds", interest="trains", mode=TopicsMode.ONLY)
    assert plan(birds) == Planned(due_at=None, reason="nothing new in it for birds, the reader's own words")


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


def opinion(title: str, *, liked: bool, key: int = 1) -> Opinion:
    return Opinion(Example.of(key, Listing(title=title)), liked)


def reasons(one: Subscriber) -> dict[int, tuple[Reason, ...]]:
    choice = Chooser(LISTINGS, TERMS).of(one)
    return dict(zip(choice.positions, choice.reasons, strict=True))


def test_papers_like_those_of_which_the_reader_asked_for_more_come_first_and_say_so() -> None:
    one = replace(reader(), opinions=(opinion("A graph network", liked=True),))
    assert Chooser(LISTINGS, TERMS).of(one).positions == (2, 0, 1, 3)
    assert reasons(one)[2] == (Reason(ReasonKind.LIKED, "A graph network"),)


def test_what_a_reader_liked_leaves_nothing_out_for_them() -> None:
    one = replace(reader(mode=TopicsMode.ONLY), opinions=(opinion("A graph network", liked=True),))
    assert Chooser(LISTINGS, TERMS).of(one).positions == (2, 0, 1, 3)
    topical = replace(reader("agents", mode=TopicsMode.ONLY), opinions=one.opinions)
    assert set(Chooser(LISTINGS, TERMS).of(topical).positions) == {1, 2, 3}


def test_a_topic_and_what_is_liked_are_worth_more_than_either() -> None:
    one = replace(reader("agents"), opinions=(opinion("More and more agents", liked=True),))
    assert Chooser(LISTINGS, TERMS).of(one).positions[0] == 3
    assert [each.kind for each in reasons(one)[3]] == [ReasonKind.TOPIC, ReasonKind.LIKED]


def test_what_is_nearly_a_paper_of_which_the_reader_asked_for_less_is_not_for_them() -> None:
    one = replace(reader("agents"), opinions=(opinion("Agents at work!", liked=False),))
    assert Chooser(LISTINGS, TERMS).of(one).positions == (3, 0, 1, 2)
    assert reasons(one)[1] == ()
    only = replace(one, topics_mode=TopicsMode.ONLY)
    assert Chooser(LISTINGS, TERMS).of(only).positions == (3,)


def test_a_followed_author_comes_even_with_what_the_reader_asked_less_of() -> None:
    one = replace(reader("agents", follows="author: Ann Bé"), opinions=(opinion("More agents", liked=False),))
    assert Chooser(LISTINGS, TERMS).of(one).positions[0] == 3
    assert [each.kind for each in reasons(one)[3]] == [ReasonKind.AUTHOR]


def test_long_titles_are_cut_in_reasons() -> None:
    one = replace(reader(), opinions=(opinion("Graph networks " + "and so on " * 50, liked=True),))
    assert all(len(each.name) <= 100 for why in reasons(one).values() for each in why)


@given(
    st.lists(st.tuples(st.sampled_from(TITLES), st.booleans()), max_size=4),
    st.sampled_from([(), ("agents",), ("agents", "birds")]),
    st.sampled_from(TopicsMode),
)
def test_opinions_never_bring_a_listing_twice_nor_put_what_does_not_fit_before_what_does(
    said: list[tuple[str, bool]], topics: tuple[str, ...], mode: TopicsMode
) -> None:
    opinions = tuple(opinion(title, liked=liked, key=key) for key, (title, liked) in enumerate(said))
    one = replace(reader(*topics, mode=mode), opinions=opinions)
    choice = Chooser(LISTINGS, TERMS).of(one)
    assert len(set(choice.positions)) == len(choice.positions)
    fits = [bool(why) for why in choice.reasons]
    assert fits == sorted(fits, reverse=True)
    if mode is TopicsMode.FIRST:
        assert set(choice.positions) == {0, 1, 2, 3}


MANY = st.lists(
    st.sampled_from(["fish", "agents", "fish agents", "a graph", "agents on graphs", "birds"]), max_size=60
)


@given(
    MANY,
    readers,
    st.lists(st.tuples(st.sampled_from(["fish", "agents and fish", "graphs"]), st.booleans()), max_size=3),
    st.integers(1, 12),
    st.sets(st.integers(1, 60), max_size=30),
)
def test_a_lower_limit_gives_the_beginning_of_what_no_limit_gives(
    page: list[str], one: Subscriber, said: list[tuple[str, bool]], most: int, had: set[int]
) -> None:
    opinions = tuple(opinion(title, liked=liked, key=key) for key, (title, liked) in enumerate(said))
    one = replace(one, opinions=opinions)
    everything = [
        replace(item, listing=replace(item.listing, authors=("Ann Bé",) if item.key % 9 == 0 else ()))
        for item in listings(*page)
    ]
    terms = replace(TERMS, layout=Layout(for_you=1), max_listings=0)
    whole = Chooser(everything, terms).of(one, frozenset(had))
    choice = Chooser(everything, replace(terms, max_listings=most)).of(one, frozenset(had))
    assert choice.positions == whole.positions[:most]
    assert choice.reasons == whole.reasons[:most]


def test_a_reader_gets_no_more_than_the_mail_has_room_for() -> None:
    page = listings(*[f"Agents {number}" if number % 3 else f"Birds {number}" for number in range(60)])
    layout = Layout(for_you=2, also_today=3, in_brief=4)
    daily = papers(topics=TOPICS, layout=layout)
    terms = Terms.of(daily)
    for one, lines in ((reader("agents"), 4), (reader(), 4), (reader("agents", mode=TopicsMode.ONLY), 4)):
        assert len(sections(Chooser(page, terms).of(one), layout).brief) == lines
    assert terms.max_listings == 10
    assert Terms.of(replace(daily, cadence=Cadence.WEEKLY)).max_listings == 0
    assert len(Chooser(page, Terms.of(replace(daily, cadence=Cadence.WEEKLY))).of(reader()).positions) == 60


def test_more_wishes_than_a_byte_counts_are_worth_what_twenty_are() -> None:
    many = reader(*["agents"] * 300)
    assert Chooser(LISTINGS, TERMS).of(many).positions == (1, 3, 0, 2)
    assert Chooser(LISTINGS, TERMS).of(reader(*["agents"] * 20)).positions == (1, 3, 0, 2)


WEEK = [DAY - timedelta(days=back) for back in range(9)]  # the last two are of the week before


def of_week(rows: list[tuple[date, str]], most: int, cadence: Cadence = Cadence.WEEKLY) -> Issue:
    """Return an issue of listings with these days and titles."""
    listings = tuple(
        IssueListing(key=rank, rank=rank, listing=Listing(title=title), listed_on=day)
        for rank, (day, title) in enumerate(rows, start=1)
    )
    terms = Terms.of(papers(most, cadence=cadence, topics=TOPICS))
    return Draft(terms=terms, day=DAY, number=1, candidates=len(rows), listings=listings).closed(0, "", NOW)


ROWS = st.tuples(st.sampled_from(WEEK), st.sampled_from(["fish", "agents", "birds of a graph"]))


@given(st.lists(ROWS, max_size=40), readers, st.integers(0, 24), st.sets(st.integers(1, 40), max_size=10))
def test_the_best_three_of_each_day_of_a_week_come_whatever_fits_a_reader(
    rows: list[tuple[date, str]], one: Subscriber, most: int, had: set[int]
) -> None:
    choice = chooser(of_week(rows, most)).of(one, frozenset(had))
    days = [day for day, _ in rows]
    best = [
        at for at, day in enumerate(days) if day in WEEK[:7] and days[:at].count(day) < 3 and at + 1 not in had
    ]
    places = most or len(rows)
    wants_matches_alone = one.topics_mode is TopicsMode.ONLY and bool(one.topics or one.follows or one.interest)
    if not wants_matches_alone:
        assert set(best[: places * 3 // 4]) <= set(choice.positions)
        assert len(choice.positions) == min(places, len({*range(1, len(rows) + 1)} - had))
    assert len(set(choice.positions)) == len(choice.positions) <= places
    assert not {position + 1 for position in choice.positions} & had
    fits = [bool(why) for why in choice.reasons]
    assert fits == sorted(fits, reverse=True)


def test_a_broad_topic_leaves_the_best_of_a_week_their_places() -> None:
    rows = [(WEEK[1], "The most upvoted of all"), *[(DAY, f"Agents {number}") for number in range(30)]]
    weekly, daily = (
        chooser(of_week(rows, 10, cadence)).of(reader("agents")) for cadence in (Cadence.WEEKLY, Cadence.DAILY)
    )
    assert weekly.positions[-1] == 0
    assert 0 not in daily.positions


@given(
    st.lists(
        st.sampled_from(("agent nets", "bird nets", "fish", "graph agents", "birds")), min_size=1, max_size=9
    ),
    st.sampled_from(("", "nets of birds", "fish")),
    st.builds(
        ChoiceWeights,
        named=st.floats(0, 5),
        text=st.floats(0, 5),
        like=st.floats(0, 5),
        place=st.floats(0, 5),
        similarity=st.just(0.0),
    ),
)
def test_the_parts_of_a_value_order_what_fits_as_the_choice_does_whatever_the_weights(
    titles: list[str], interest: str, weights: ChoiceWeights
) -> None:
    choose = Chooser(listings(*titles), Terms.of(papers(topics=TOPICS)), weights=weights)
    said = (opinion("agent nets", liked=True), opinion("birds", liked=True))
    one = replace(reader("agents", "birds", interest=interest), opinions=said)

    worths, choice = choose.worths(one), choose.of(one)

    fitting = [position for position, why in zip(choice.positions, choice.reasons, strict=True) if why]
    values = [worths[position].value for position in fitting]
    assert set(fitting) == worths.keys()
    assert values == pytest.approx(sorted(values, reverse=True))


def test_weights_of_the_choice_change_what_comes_first() -> None:
    two = listings("birds", "agents", "agents and birds")
    by_place, by_number = ChoiceWeights(place=3), ChoiceWeights(place=0)
    one = reader("agents", "birds")
    assert Chooser(two, TERMS, weights=by_number).of(one).positions[0] == 2
    assert Chooser(two, TERMS, weights=by_place).of(one).positions[0] == 0

"""From the fields of a form to wishes and back: nothing is lost, nothing is beyond its bounds."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.choice import ReasonKind, TextKind
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import Follow
from newsletter.core.newsletter_list import WEEKDAYS, Cadence, Masthead, NewsletterList
from newsletter.core.subscriber import Wishes
from newsletter.core.text import one_line
from newsletter.core.topics import Topic, TopicsMode
from newsletter.core.wishes import fitted
from newsletter.readers.preferences import LONGEST_INTEREST, MOST_FOLLOWS, Filled, fields_of, filled

TODAY = date(2026, 3, 12)
LANGUAGES = ("en", "de")
TOPICS = {name: Topic(name=name, keywords=(name,)) for name in ("agents", "vision", "speech")}
MASTHEAD = Masthead(list="daily", title="Daily", sender="papers@example.org")
DAILY = NewsletterList(masthead=MASTHEAD, sources=(), topics=TOPICS)
NONE = Wishes()
WEEKLY = NewsletterList(masthead=MASTHEAD, sources=(), topics=TOPICS, cadence=Cadence.WEEKLY)

_WORDS = st.text(st.sampled_from("abc äß日"), max_size=30).map(lambda text: " ".join(text.split()))
_NAMES = st.text(st.sampled_from("Ada Lovelace:é"), min_size=1, max_size=30).map(
    lambda text: " ".join(f"x{text}".split())
)
_PAPERS = st.one_of(
    st.from_regex(r"2[0-6](0[1-9]|1[0-2])\.[0-9]{5}", fullmatch=True).map(GivenPaper),
    st.tuples(_NAMES, _WORDS).map(lambda told: GivenPaper(title=told[0], abstract=told[1])),
)
wishes = st.builds(
    Wishes,
    name=_WORDS,
    topics=st.lists(st.sampled_from(list(TOPICS)), unique=True).map(tuple),
    follows=st.lists(st.builds(Follow, st.sampled_from(list(ReasonKind)[:3]), _NAMES), unique=True).map(tuple),
    cadence=st.sampled_from([None, Cadence.WEEKLY]),
    hour=st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    timezone=st.sampled_from([None, "Asia/Tokyo", "UTC"]),
    topics_mode=st.sampled_from([None, TopicsMode.ONLY]),
    interest=_WORDS,
    examples=st.lists(_PAPERS, unique_by=lambda paper: paper.identities[0], max_size=5).map(tuple),
    text=st.sampled_from(TextKind),
    days=st.none() | st.sampled_from([(0,), (1, 4), (0, 1, 2, 3)]),
    language=st.sampled_from([None, *LANGUAGES]),
    paused_until=st.none() | st.dates(TODAY + timedelta(days=1), TODAY + timedelta(days=366)),
)


def read(form: dict[str, Any], before: Wishes = NONE, list_: NewsletterList = DAILY) -> Filled:
    return filled(form, before, list_, LANGUAGES, today=TODAY)


def changed(**fields: Any) -> Filled:
    """Return what a form comes to that a reader without wishes changes so."""
    return read({**fields_of(Wishes(), DAILY, today=TODAY), **fields})


@given(wishes)
def test_saving_what_the_form_shows_changes_nothing(one: Wishes) -> None:
    assert read(dict(fields_of(one, DAILY, today=TODAY)), one) == Filled(one)


@given(wishes, wishes)
def test_a_form_says_all_that_a_reader_wishes_whatever_they_wished_before(one: Wishes, before: Wishes) -> None:
    at_arxiv = tuple(GivenPaper(paper.arxiv_id) for paper in one.examples if paper.arxiv_id)
    found = read(dict(fields_of(one._replace(examples=at_arxiv), DAILY, today=TODAY)), before)
    assert found.mistakes == {}
    for name in set(Wishes._fields) - {"topics", "follows", "examples"}:
        assert getattr(found.wishes, name) == getattr(one, name)
    assert set(found.wishes.topics) == set(one.topics)
    assert set(found.wishes.follows) == set(one.follows)
    assert {paper.arxiv_id for paper in found.wishes.examples} == {paper.arxiv_id for paper in at_arxiv}


@given(st.dictionaries(st.sampled_from([*fields_of(Wishes(), DAILY, today=TODAY), "x"]), st.lists(st.text())))
def test_whatever_is_sent_comes_to_wishes_that_the_list_can_meet(form: dict[str, list[str]]) -> None:
    for list_ in (DAILY, WEEKLY):
        found = filled(form, Wishes(), list_, LANGUAGES, today=TODAY)
        assert fitted(found.wishes, list_, LANGUAGES) == (found.wishes, ())
        texts = (found.wishes.name, found.wishes.interest, *(one.name for one in found.wishes.follows))
        assert all(one_line(text) == text for text in texts)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", ["x" * 101], "too_long"),
        ("days", [], "no_day"),
        ("days", ["sun"], "no_day"),
        ("hour", ["7"], "hour"),
        ("timezone", ["Berlin"], "timezone"),
        ("paused_until", ["tomorrow"], "date"),
        ("paused_until", ["2026-03-12"], "past"),
        ("paused_until", ["2027-03-14"], "far"),
        ("authors", ["x" * 101], "line_too_long"),
        ("keywords", ["!!!"], "nothing"),
        ("interest", ["x" * (LONGEST_INTEREST + 1)], "too_long"),
        ("papers", ["2501.12345\n1234"], "paper"),
        ("papers", ["\n".join(f"2501.{number:05}" for number in range(1, 102))], "too_many"),
        ("keywords", ["\n".join(f"word{number}" for number in range(MOST_FOLLOWS + 1))], "too_many"),
    ],
)
def test_a_mistake_is_told_by_its_field_and_what_was_wished_before_stays(
    field: str, value: list[str], code: str
) -> None:
    found = changed(**{field: value, "language": ["de"]})
    assert {name: mistake.code for name, mistake in found.mistakes.items()} == {field: code}
    assert found.wishes == Wishes(language="de")


def test_what_browsers_send_of_a_time_may_have_seconds() -> None:
    assert changed(hour=["07:30:00"]).wishes.hour == time(7, 30)


def test_what_the_list_does_anyway_is_no_wish() -> None:
    found = changed(cadence=["daily"], days=[WEEKDAYS[day] for day in DAILY.days], topics_mode=["first"])
    assert found == Filled(Wishes())


def test_a_weekly_list_leaves_neither_days_nor_cadence_to_its_readers() -> None:
    form = {**fields_of(Wishes(), WEEKLY, today=TODAY), "cadence": ["daily"], "days": []}
    assert read(form, list_=WEEKLY) == Filled(Wishes())


def test_papers_that_files_named_stay_as_they_are_told_and_can_be_dropped() -> None:
    told = GivenPaper("2501.12345", title="Told", abstract="All of it")
    book = GivenPaper(doi="10.1/1", title="A book")
    before = Wishes(examples=(told, book))
    form = dict(fields_of(before, DAILY, today=TODAY))
    assert read({**form, "papers": ["2501.12345\n2602.00001"]}, before).wishes.examples == (
        told,
        GivenPaper("2602.00001"),
        book,
    )
    assert read({**form, "kept_papers": []}, before).wishes.examples == (told,)
    assert read({**form, "papers": [""]}, before).wishes.examples == (book,)


def test_a_pause_that_is_over_is_shown_no_more() -> None:
    over = Wishes(paused_until=TODAY)
    assert fields_of(over, DAILY, today=TODAY)["paused_until"] == [""]
    assert read(dict(fields_of(over, DAILY, today=TODAY)), over).wishes.paused_until is None

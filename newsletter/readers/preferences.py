"""What readers choose on their own page: from the fields of a form to wishes, and from wishes to fields. Pure.

The form always sends its text fields. A field that says what the list does anyway stands for no wish of its own,
so that such a reader follows the list when it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import NamedTuple, TypeVar

from newsletter.core.choice import ReasonKind, TextKind
from newsletter.core.examples import MOST_EXAMPLES, GivenPaper, read_example
from newsletter.core.follows import Follow, read_follow
from newsletter.core.newsletter_list import WEEKDAYS, Cadence, NewsletterList
from newsletter.core.subscriber import Wishes
from newsletter.core.text import one_line
from newsletter.core.topics import TopicsMode
from newsletter.lists.values import read_hour, read_timezone

LONGEST_NAME = 100  # characters
LONGEST_INTEREST = 2000
MOST_FOLLOWS, LONGEST_FOLLOW = 100, 100  # of all kinds together; of one
LONGEST_PAUSE = timedelta(days=366)

# The fields of the form that name what is followed, one in each line.
FOLLOW_FIELDS: Mapping[str, ReasonKind] = {
    "authors": ReasonKind.AUTHOR,
    "organizations": ReasonKind.ORGANIZATION,
    "keywords": ReasonKind.KEYWORD,
}

Fields = Mapping[str, Sequence[str]]
_T = TypeVar("_T")


class Mistake(NamedTuple):
    """What is wrong with a field: a code, which the page has words for, and what of the field it is about."""

    code: str
    about: str = ""


class _WrongError(Exception):
    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(code)
        self.mistake = Mistake(code, one_line(about, 60))


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form came to: the wishes, with the former one in place of each that is wrong, and what is wrong."""

    wishes: Wishes
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)


def fields_of(wishes: Wishes, list_: NewsletterList, *, today: date) -> dict[str, Sequence[str]]:
    """Return the fields of a form that says what a reader wishes now.

    Args:
        wishes: the reader's.
        list_: their list, whose own cadence, days and mode stand where they have no wish.
        today: a pause that ends by it is over.
    """
    pause = wishes.paused_until
    days = list_.days if wishes.days is None else wishes.days
    return {
        "name": [wishes.name],
        "cadence": [wishes.cadence or list_.cadence],
        "days": [WEEKDAYS[day] for day in days],
        "hour": ["" if wishes.hour is None else f"{wishes.hour:%H:%M}"],
        "timezone": [wishes.timezone or ""],
        "paused_until": [pause.isoformat() if pause and pause > today else ""],
        "topics": list(wishes.topics),
        "topics_mode": [wishes.topics_mode or list_.topics_mode],
        **{name: [_lines(one.name for one in wishes.follows if one.kind is kind)] for name, kind in _KINDS},
        "interest": [wishes.interest],
        "papers": [_lines(paper.arxiv_id for paper in wishes.examples if paper.arxiv_id)],
        "kept_papers": [str(paper.identities[0]) for paper in other_papers(wishes)],
        "text": [wishes.text],
        "language": [wishes.language or ""],
    }


_KINDS = tuple(FOLLOW_FIELDS.items())


def other_papers(wishes: Wishes) -> tuple[GivenPaper, ...]:
    """Return the examples of a reader that are not at arXiv, as BibTeX files name them; the form keeps these."""
    return tuple(paper for paper in wishes.examples if not paper.arxiv_id)


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)


def filled(
    form: Fields, before: Wishes, list_: NewsletterList, languages: Collection[str], *, today: date
) -> Filled:
    """Return what a form says.

    Args:
        form: the fields, by name; what is not there is empty.
        before: what the reader wished until now; it stays where a field is wrong.
        list_: their list.
        languages: the tags of those that there are words for.
        today: a pause must end after it.
    """
    readers = _readers(form, before, list_, languages, today)
    values, mistakes = before._asdict(), {}
    for name, (of_wish, read) in readers.items():
        try:
            values[of_wish] = read()
        except _WrongError as error:
            mistakes[name] = error.mistake
    follows: list[Follow] = []
    for name, kind in _KINDS:
        try:
            follows += _follows(form, name, kind)
        except _WrongError as error:
            mistakes[name] = error.mistake
    if len(follows) > MOST_FOLLOWS:
        mistakes["keywords"] = Mistake("too_many", str(MOST_FOLLOWS))
    if not mistakes.keys() & FOLLOW_FIELDS.keys():
        values["follows"] = tuple(dict.fromkeys(follows))
    return Filled(_in_order(before, Wishes(**values)), mistakes)


def _in_order(before: Wishes, now: Wishes) -> Wishes:
    """Return wishes, those in their former order that have only changed places: the form has its own."""
    same = {
        name: getattr(before, name)
        for name in ("topics", "follows", "examples")
        if set(getattr(before, name)) == set(getattr(now, name))
    }
    return now._replace(**same)


def _readers(
    form: Fields, before: Wishes, list_: NewsletterList, languages: Collection[str], today: date
) -> Mapping[str, tuple[str, Callable[[], object]]]:
    """Return for each field the wish that it is about, and what reads it."""
    return {
        "name": ("name", lambda: _line(form, "name", LONGEST_NAME)),
        "cadence": ("cadence", lambda: _unless_usual(_cadence(form, list_), list_.cadence)),
        "days": ("days", lambda: _days(form, list_)),
        "hour": ("hour", lambda: _hour(form)),
        "timezone": ("timezone", lambda: _timezone(form)),
        "paused_until": ("paused_until", lambda: _pause(form, today)),
        "topics": ("topics", lambda: tuple(name for name in list_.topics if name in form.get("topics", ()))),
        "topics_mode": ("topics_mode", lambda: _unless_usual(_mode(form, list_), list_.topics_mode)),
        "interest": ("interest", lambda: _line(form, "interest", LONGEST_INTEREST)),
        "papers": ("examples", lambda: _papers(form, before)),
        "text": ("text", lambda: _one_of(TextKind, _one(form, "text")) or TextKind.SUMMARY),
        "language": ("language", lambda: _language(form, languages)),
    }


def _one(form: Fields, name: str) -> str:
    values = form.get(name, ())
    return values[-1].strip() if values else ""


def _line(form: Fields, name: str, most: int) -> str:
    """Return a field as one line of clean text."""
    text = one_line(_one(form, name))
    if len(text) > most:
        raise _WrongError("too_long", str(most))
    return text


def _each_line(form: Fields, name: str) -> Iterator[str]:
    """Yield the lines of a field that say something."""
    return (line for text in _one(form, name).splitlines() if (line := one_line(text)))


def _one_of(kind: Callable[[str], _T], text: str) -> _T | None:
    with suppress(ValueError):
        return kind(text)
    return None


def _unless_usual(value: _T, usual: _T) -> _T | None:
    return None if value == usual else value


def _cadence(form: Fields, list_: NewsletterList) -> Cadence:
    chosen = _one_of(Cadence, _one(form, "cadence"))
    return list_.cadence if chosen is None or list_.cadence is Cadence.WEEKLY else chosen


def _mode(form: Fields, list_: NewsletterList) -> TopicsMode:
    return _one_of(TopicsMode, _one(form, "topics_mode")) or list_.topics_mode


def _days(form: Fields, list_: NewsletterList) -> tuple[int, ...] | None:
    if list_.cadence is Cadence.WEEKLY or len(list_.days) == 1:
        return None  # there is nothing to choose
    days = tuple(day for day in sorted(list_.days) if WEEKDAYS[day] in form.get("days", ()))
    if not days:
        raise _WrongError("no_day")
    return _unless_usual(days, tuple(sorted(list_.days)))


def _hour(form: Fields) -> time | None:
    text = _one(form, "hour")
    if not text:
        return None
    try:
        return read_hour(text[:5])  # some browsers send seconds
    except ValueError:
        raise _WrongError("hour", text) from None


def _timezone(form: Fields) -> str | None:
    text = _one(form, "timezone")
    try:
        return read_timezone(text) if text else None
    except ValueError:
        raise _WrongError("timezone", text) from None


def _pause(form: Fields, today: date) -> date | None:
    text = _one(form, "paused_until")
    if not text:
        return None
    try:
        until = date.fromisoformat(text)
    except ValueError:
        raise _WrongError("date", text) from None
    if until <= today:
        raise _WrongError("past")
    if until > today + LONGEST_PAUSE:
        raise _WrongError("far")
    return until


def _language(form: Fields, languages: Collection[str]) -> str | None:
    text = _one(form, "language")
    return text if text in languages else None


def _follows(form: Fields, name: str, kind: ReasonKind) -> Iterator[Follow]:
    for line in _each_line(form, name):
        if len(line) > LONGEST_FOLLOW:
            raise _WrongError("line_too_long", line)
        try:
            yield read_follow(f"{kind}: {line}")
        except ValueError:
            raise _WrongError("nothing", line) from None


def _papers(form: Fields, before: Wishes) -> tuple[GivenPaper, ...]:
    known = {paper.arxiv_id: paper for paper in before.examples if paper.arxiv_id}
    kept = [paper for paper in other_papers(before) if str(paper.identities[0]) in form.get("kept_papers", ())]
    papers = []
    for line in _each_line(form, "papers"):
        try:
            paper = read_example(line)
        except ValueError:
            raise _WrongError("paper", line) from None
        papers.append(known.get(paper.arxiv_id, paper))
    papers = list(dict.fromkeys([*papers, *kept]))
    if len(papers) > MOST_EXAMPLES:
        raise _WrongError("too_many", str(MOST_EXAMPLES))
    return tuple(papers)

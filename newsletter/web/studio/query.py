"""The query of the studio's page: which message is looked at, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from urllib.parse import parse_qsl

from newsletter.core.choosing import ChoiceWeights
from newsletter.core.days import read_day
from newsletter.core.errors import UsageError
from newsletter.core.ranking import Weights
from newsletter.ports.previews import Asked, Considered
from newsletter.web.studio.compatibility import PROGRAMS, USUAL_PROGRAMS

VIEWS = {"html": "Mail", "text": "Text", "headers": "Headers", "source": "Source"}
WIDTHS = {"360": "Phone 360", "768": "Tablet 768", "600": "Desktop 600"}
# Before the name of a weight.
RANKING, CHOICE = "ranking.", "choice."
_MOST = 10.0  # of a weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a message is shown: which part, how wide, without pictures, inverted, judged for which programs."""

    view: str
    width: str
    no_pictures: bool
    inverted: bool
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query: the fields that were sent, each once."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, text: str) -> Query:
        """Read a query string."""
        return cls(pairs=tuple(parse_qsl(text, keep_blank_values=True)))

    def get(self, name: str) -> str:
        """Return the last value of a field, or nothing."""
        return next((value for key, value in reversed(self.pairs) if key == name), "")

    def look(self) -> Look:
        """Return how the message is to be shown; what is unknown counts as what is usual."""
        programs = tuple(value for key, value in self.pairs if key == "program" and value in PROGRAMS)
        return Look(
            view=_one_of(VIEWS, self.get("view")),
            width=_one_of(WIDTHS, self.get("width")),
            no_pictures=self.get("pictures") == "none",
            inverted=self.get("inverted") == "yes",
            programs=programs or USUAL_PROGRAMS,
        )

    def asked(self, lists: Sequence[str]) -> Asked:
        """Return which message is meant.

        Args:
            lists: the names of all lists.

        Raises:
            UsageError: there is no such list or day, or a weight is no number.
        """
        if not lists:
            raise UsageError("there is no list yet: put one into the subscribers folder, or run `newsletter init`")
        name = self.get("list") or lists[0]
        if name not in lists:
            raise UsageError(f"there is no list {name!r}; there are: {', '.join(lists)}")
        try:
            day = read_day(self.get("day")) if self.get("day") else None
        except ValueError as error:
            raise UsageError(f"day: {error}") from error
        return Asked(
            list=name,
            day=day,
            reader=self.get("subscriber").strip(),
            language=self.get("language"),
            ranking=self._weights(RANKING, Weights),
            choice=ChoiceWeights(**self._weights(CHOICE, ChoiceWeights)),
        )

    def _weights(self, prefix: str, kind: type[Weights | ChoiceWeights]) -> dict[str, float]:
        """Return the weights of a kind that the query names."""
        given = {one.name: self.get(f"{prefix}{one.name}") for one in fields(kind)}
        return {name: _weight(name, text) for name, text in given.items() if text}


def _weight(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or not 0 <= value <= _MOST:
        raise UsageError(f"{name}: {text[:20]!r} is no weight: write a number from 0 to {_MOST:g}")
    return value


def _one_of(known: Iterable[str], wanted: str) -> str:
    """Return the wanted value if it is a known one, else the first known one."""
    return wanted if wanted in (options := list(known)) else options[0]


def lines_to_keep(considered: Considered) -> list[str]:
    """Return the lines of a list file that make the weights of the order last, if they are not the list's own."""
    return list(_lines(considered)) if considered.ranking != considered.usual else []


def _lines(considered: Considered) -> Iterator[str]:
    yield "[ranking]"
    usual = Weights()
    for one in fields(Weights):
        value = getattr(considered.ranking, one.name)
        if value != getattr(usual, one.name):
            yield f"{one.name} = {value:g}"

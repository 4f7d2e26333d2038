"""What one reader gets of an issue, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple


class ReasonKind(StrEnum):
    """What of a reader's wishes a listing fits."""

    AUTHOR = "author"  # one whom the reader follows
    ORGANIZATION = "organization"  # one that the reader follows
    KEYWORD = "keyword"  # one that the reader follows
    TOPIC = "topic"  # of the list, which the reader has chosen
    INTEREST = "interest"  # what the reader says in own words
    LIKED = "liked"  # a paper of which the reader asked for more

    __hash__ = str.__hash__  # an Enum's own is made in Python, and choices are looked up by the million


class TextKind(StrEnum):
    """What a reader wants to read of a paper."""

    SUMMARY = "summary"  # where there is one
    ABSTRACT = "abstract"

    __hash__ = str.__hash__


class Reason(NamedTuple):
    """Why a listing is for a reader.

    `name` is what the reader has named: an author, an organization, a keyword, a topic; of a liked paper it is the
    title, as the source writes it; empty for an interest.
    `word` is what of a topic or of an interest stands in the listing; empty where the name says it.
    """

    kind: ReasonKind
    name: str = ""
    word: str = ""


@dataclass(frozen=True)
class Choice:
    """What one reader gets of an issue: positions in the reader's order, and why each is for this reader.

    A position counts from 0 in the issue's own order. Those that come because everybody gets them have no reasons.
    `text` says what is shown of each. `language` is the tag of the one in which the frame of the mail is; empty:
    the list's.
    """

    positions: tuple[int, ...] = ()
    reasons: tuple[tuple[Reason, ...], ...] = ()
    text: TextKind = TextKind.SUMMARY
    language: str = ""

    @classmethod
    def first(cls, size: int) -> Choice:
        """Return the choice of the first `size` listings of an issue, for nobody in particular."""
        return cls(tuple(range(size)), ((),) * size)

    def __hash__(self) -> int:
        """Return the hash of what it holds; looked up for each reader, and worked out once."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.positions, self.reasons, self.text, self.language))


NOTHING = Choice()

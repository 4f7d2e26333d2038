"""Messages to look at before they are sent, and what is to be said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from newsletter.core.choosing import USUAL, ChoiceWeights, Worth
from newsletter.core.delivery import DeliveryState
from newsletter.core.newsletter_list import Cadence
from newsletter.core.ranking import Parts, Weights
from newsletter.core.subscriber import Subscriber


class DayOfIssue(NamedTuple):
    """A day that a list has a closed issue of, and the issue's number."""

    day: date
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which message is to be shown.

    Attributes:
        list: the name of a list or of a weekly edition.
        day: the issue's day; None: the issue that would be made now.
        reader: an address of the list; empty: a reader without wishes.
        language: of the mail for a reader without wishes; empty: the list's.
        ranking: weights of the order, by name, in place of the list's own.
        choice: weights of the choice.
    """

    list: str
    day: date | None = None
    reader: str = ""
    language: str = ""
    ranking: Mapping[str, float] = field(default_factory=dict)
    choice: ChoiceWeights = USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPaper:
    """A candidate, and what became of it.

    Attributes:
        place: in the mail, from 1; 0: it is not in the mail.
        rank: in the issue's own order, from 1.
        title: as the source writes it.
        url: where it leads, or nothing.
        section: where it stands in the mail, in words, such as "for you"; or why it stands on the web only.
        reasons: why it is for this reader, in words.
        notes: what else there is to say of it, in words, such as "rose late".
        upvotes: the newest count, or None.
        score: what orders it for everybody.
        parts: of the score, or None where they are not known any more.
        worth: of it for this reader, by parts; None: no wish matches.
        size: bytes of the HTML part that it takes.
    """

    place: int
    rank: int
    title: str
    url: str
    section: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    upvotes: int | None = None
    score: float
    parts: Parts | None = None
    worth: Worth | None = None
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """All that competed for an issue: first what a reader gets, in the mail's order, then the rest by rank.

    Attributes:
        papers: the candidates.
        most: how many papers one reader gets at most; 0: no limit.
        left_out: further candidates that the issue had no room for.
        frozen: the issue is closed, so that no weights change it.
        ranking: the weights of the order.
        usual: the list's own weights of the order.
        choice: the weights of the choice.
        is_weekly: the issue is ordered by votes alone.
    """

    papers: tuple[PlacedPaper, ...]
    most: int
    left_out: int = 0
    frozen: bool = False
    ranking: Weights
    usual: Weights
    choice: ChoiceWeights = USUAL
    is_weekly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A finding of the checks about a message that is shown.

    Attributes:
        failure: whether it stops the issue.
        rule, where, message, why: of the finding.
        tag, index: the element of the HTML part, by its tag and how many of that tag stand before it; or no tag.
        header: the header field that it is about, or nothing.
        source_line, text_line: the line of the message or of its text part, from 1; 0: none.
        template: the line of the template that wrote the element, `file:line`; or nothing.
    """

    failure: bool
    rule: str
    where: str
    message: str
    why: str
    tag: str = ""
    index: int = 0
    header: str = ""
    source_line: int = 0
    text_line: int = 0
    template: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """A message as a reader would get it.

    `raw`: the final bytes. `sample`: no listings are collected yet, so it shows the program's sample listings.
    `frozen`: the issue is closed and can't change. `note`: a sentence for the person who looks at it, or "".
    `remarks`: what the checks find; `checks` is how many rules they have.
    """

    day: date
    subject: str
    raw: bytes
    sample: bool = False
    frozen: bool = False
    note: str = ""
    remarks: Sequence[Remark] = ()
    checks: int = 0
    considered: Considered


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What there is to know of a reader who is looked at.

    `hour` and `timezone` say when a copy is due, `days` on which days (Monday is 0): the reader's own, else the
    list's. `states` are those of the newest issues for this reader, newest first. `liked` and `disliked` count
    papers. `known` is whether the address reads the list.
    """

    subscriber: Subscriber
    known: bool
    cadence: Cadence
    days: tuple[int, ...]
    hour: str
    timezone: str
    states: Mapping[date, DeliveryState] = field(default_factory=dict)
    liked: int = 0
    disliked: int = 0


class Previews(Protocol):
    """Makes messages to look at.

    Any method may raise ConfigurationError or NewsletterError (mostly RenderError): the page shows the text.
    """

    async def lists(self) -> Sequence[str]:
        """Return the names of all lists, and of the weekly editions that anybody wants."""
        ...

    async def days(self, list_name: str) -> Sequence[DayOfIssue]:
        """Return the issues that a list has, newest first."""
        ...

    async def readers(self, list_name: str, prefix: str, *, most: int) -> Sequence[str]:
        """Return addresses of a list that begin so, at most so many."""
        ...

    async def languages(self) -> Sequence[str]:
        """Return the tags of the languages that mails may be in."""
        ...

    async def message(self, asked: Asked) -> Previewed:
        """Render a message now, by the templates as they are now; a closed issue as it was closed."""
        ...

    async def considered(self, asked: Asked) -> Considered:
        """Return what competed for an issue, without rendering anything."""
        ...

    async def portrait(self, asked: Asked) -> Portrait | None:
        """Return what there is to know of the reader who was asked for; None: of nobody in particular."""
        ...

    async def collect(self, list_name: str) -> str:
        """Read the sources of a list now, and return in a sentence what they brought."""
        ...

    async def send(self, asked: Asked, to: str) -> str:
        """Send the message as a test copy to an address, and return in a sentence what became of it.

        Raises:
            UsageError: there can be no such address.
        """
        ...

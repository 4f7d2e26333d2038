"""Issues turned into mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from newsletter.core.delivery import Delivery
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import NewsletterList


class Composed(NamedTuple):
    """One reader's message in pieces; where it is to be signed, `sign` makes what comes before them.

    A signature takes longer than all the rest, but not the interpreter's lock, so it is better made in a thread.
    """

    sender: str  # the envelope's
    pieces: Sequence[bytes]
    sign: Callable[[], bytes] | None = None


class Message(Protocol):
    """A rendered issue that makes each reader's message."""

    @property
    def html_bytes(self) -> int:
        """Return the size of the HTML part before transfer encoding: what Gmail clips by."""
        ...

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        """Return the envelope sender and the final bytes for one reader; costs microseconds."""
        ...

    def composed_for(self, delivery: Delivery) -> Composed:
        """Return the same in pieces, the last of them not empty; nearly all of it is one object for all readers.

        If no line of one reader's bytes begins with a dot, then none of any reader's does; and if they are ASCII,
        then those of every reader with an ASCII address are.
        """
        ...


class Renderer(Protocol):
    """Turns issues into mail."""

    def subject(self, draft: Draft) -> str:
        """Return the subject line of a draft, one line of plain text.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...

    def message(self, issue: Issue, list_: NewsletterList) -> Message:
        """Render an issue once, for all readers.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...

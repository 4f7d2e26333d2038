"""Issues turned into mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from newsletter.core.delivery import Delivery
from newsletter.core.issue import Draft, Issue
from newsletter.core.rendering import Rendering


class Composed(NamedTuple):
    """One reader's message in pieces, `size` bytes in all; if it is to be signed, `sign` makes what comes first.

    A signature takes longer than all the rest, but not the interpreter's lock, so it is better made in a thread.
    """

    sender: str  # the envelope's
    pieces: Sequence[bytes]
    size: int
    sign: Callable[[], bytes] | None = None


class Message(Protocol):
    """A rendered issue that makes each reader's message, by what the delivery says of choice and subject."""

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        """Return the envelope sender and the final bytes for one reader; costs microseconds."""
        ...

    def composed_for(self, delivery: Delivery) -> Composed:
        """Return the same in pieces, such as header fields and body; the last of them is not empty.

        If no line of one reader's bytes begins with a dot, then none of any reader's does; and if they are ASCII,
        then those of every reader with an ASCII address are.
        """
        ...


class Renderer(Protocol):
    """Turns issues into mail; it knows no list, only what an issue holds."""

    def subject(self, draft: Draft) -> str:
        """Return the subject line of a draft, one line of plain text.

        It depends on nothing of the listings but the first and how many there are.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...

    def render(self, issue: Issue) -> Rendering:
        """Render an issue once, for all readers and for ever: the result is stored with it.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...

    def message(self, issue: Issue, rendering: Rendering) -> Message:
        """Return what makes each reader's message of an issue that was rendered.

        Raises:
            RenderError: a mark of a template, the sender or a link can't stand where it does; names it.
        """
        ...

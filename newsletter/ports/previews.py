"""Messages to look at before they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """A message as a reader would get it.

    `raw`: the final bytes. `sample`: no listings are collected yet, so it shows the program's sample listings.
    `frozen`: the issue is frozen and can't change. `note`: a sentence for the person who looks at it, or "".
    """

    day: date
    subject: str
    raw: bytes
    sample: bool = False
    frozen: bool = False
    note: str = ""


class Previews(Protocol):
    """Makes messages to look at.

    Any method may raise ConfigurationError or NewsletterError (mostly RenderError): the page shows the text.
    """

    async def lists(self) -> Sequence[str]:
        """Return the names of all lists."""
        ...

    async def days(self, list_name: str) -> Sequence[date]:
        """Return the days that a list has issues of, newest first."""
        ...

    async def collect(self, list_name: str) -> str:
        """Read the sources of a list now, and return in a sentence what they brought."""
        ...

    async def subscribers(self, list_name: str, *, most: int) -> Sequence[str]:
        """Return addresses whom a list's files name, the first ones and at most so many."""
        ...

    async def message(self, list_name: str, day: date | None, subscriber: str | None) -> Previewed:
        """Render a message now.

        Args:
            list_name: an item of `lists()`.
            day: the issue's day; None: the issue that would be made now.
            subscriber: an address of the list; None: a reader without topics.
        """
        ...

"""Files that web pages load: styles, scripts and pictures, each by a name that changes with its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """A file that pages load.

    Attributes:
        name: such as `site-0123456789ab.css`: stem, hash of the content, ending.
        media_type: with its charset, where it is a text.
        content: its bytes.
    """

    name: str
    media_type: str
    content: bytes


class PageFiles(Protocol):
    """The files that pages load, and no other file of the folders that they stand in."""

    def name(self, file: str) -> str:
        """Return the name under which a file such as `site.css` is served.

        Raises:
            LookupError: there is no such file; names it.
        """
        ...

    def find(self, name: str) -> PageFile | None:
        """Return the file of a name, as it is now; None if there is none.

        Its `name` is another one where the file has changed since the page was made that asks.
        """
        ...

"""Pictures of papers: looking at them, and what was found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from newsletter.core.figures import PictureCheck


class PictureReader(Protocol):
    """Looks at pictures on the web."""

    async def look(self, url: str) -> PictureCheck:
        """Return what is found at a URL.

        Raises:
            SourceError: nothing was found out; another time something may be.
        """
        ...


class Pictures(Protocol):
    """What was found at the URLs of pictures."""

    async def known(self, urls: Collection[str]) -> Mapping[str, PictureCheck]:
        """Return what was found at these URLs, as far as they were looked at."""
        ...

    async def keep(self, checks: Iterable[PictureCheck], *, now: datetime) -> None:
        """Keep what was found, in place of what was known before. `now` is aware."""
        ...

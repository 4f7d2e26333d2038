"""Papers that readers give as examples, and looking up those that no source has shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from newsletter.core.listing import Listing


class PaperFinder(Protocol):
    """Finds papers by their arXiv ids."""

    async def find(self, arxiv_ids: Collection[str]) -> Mapping[str, Listing | None]:
        """Return the papers of some arXiv ids; None for an id that arXiv knows nothing of.

        Raises:
            SourceError: arXiv can't be asked now; another time it may be.
        """
        ...


class Examples(Protocol):
    """What is known of the papers that readers gave as examples, beside what sources showed."""

    async def to_look_up(self, list_name: str, *, most: int, unknown_since: datetime) -> list[str]:
        """Return arXiv ids of papers that a list's readers gave as examples and whose texts nobody knows.

        No source has shown them, the list's files tell no abstract, and they were not looked up. One that arXiv
        knew nothing of is looked up again if that was before `unknown_since`.

        Args:
            list_name: the list.
            most: so many ids at most.
            unknown_since: aware, UTC.
        """
        ...

    async def keep(self, found: Mapping[str, Listing | None], *, now: datetime) -> None:
        """Keep papers that were looked up, by arXiv id; None: arXiv knows nothing of it. `now` is aware."""
        ...

"""Finished public pages, kept in memory: what many ask for is made once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b

from newsletter.web.pages.site_pages import MovedPage

MOST_BYTES = 64 * 1024 * 1024
_OF_A_PAGE = 1024  # bytes that a page takes beside its content, about


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A page as it is sent.

    Attributes:
        content: its bytes.
        compressed: the same by gzip (RFC 1952); empty where that is not worth it.
        media_type: with its charset.
        tag: changes with the content (RFC 9110, 8.8.3), without quotation marks.
        changed_at: when what it shows last changed; None: not known.
        is_kept: whether it is kept for others.
    """

    content: bytes
    compressed: bytes
    media_type: str
    tag: str
    changed_at: datetime | None
    is_kept: bool = True

    @property
    def size(self) -> int:
        """Return how many bytes of memory it takes, about."""
        return len(self.content) + len(self.compressed) + _OF_A_PAGE


def tag_of(content: bytes) -> str:
    """Return the tag of a page's content."""
    return blake2b(content, digest_size=12).hexdigest()


class FinishedPages:
    """The pages that were asked for last, by address and version; those asked for longest ago make room."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        """Begin; all pages together take at most `most_bytes`."""
        self._most_bytes = most_bytes
        self._pages: OrderedDict[tuple[str, str], Finished] = OrderedDict()
        self._bytes = 0
        self._being_made: dict[tuple[str, str], asyncio.Task[Finished | MovedPage | None]] = {}

    async def page(
        self, address: str, version: str, make: Callable[[], Awaitable[Finished | MovedPage | None]]
    ) -> Finished | MovedPage | None:
        """Return a page; if it is not kept, make it once for all who ask meanwhile.

        Args:
            address: where it stands.
            version: changes with all that it shows.
            make: makes it, or says where it is now, or that there is none; only a page is kept. What it raises is
                raised here.
        """
        key = address, version
        if (kept := self.kept(address, version)) is not None:
            return kept
        making = self._being_made.get(key)
        if making is None:
            making = asyncio.create_task(self._make(key, make))
            self._being_made[key] = making
            making.add_done_callback(partial(self._made, key))
        return await asyncio.shield(making)  # a client that disconnects must not cancel it for the others

    def kept(self, address: str, version: str) -> Finished | None:
        """Return a page if it is kept."""
        page = self._pages.get((address, version))
        if page is not None:
            self._pages.move_to_end((address, version))
        return page

    async def _make(
        self, key: tuple[str, str], make: Callable[[], Awaitable[Finished | MovedPage | None]]
    ) -> Finished | MovedPage | None:
        page = await make()
        if isinstance(page, Finished) and page.is_kept and page.size <= self._most_bytes:
            self._pages[key] = page
            self._bytes += page.size
            while self._bytes > self._most_bytes:
                _, oldest = self._pages.popitem(last=False)
                self._bytes -= oldest.size
        return page

    def _made(self, key: tuple[str, str], making: asyncio.Task[Finished | MovedPage | None]) -> None:
        del self._being_made[key]
        if not making.cancelled():
            making.exception()  # retrieved, or asyncio warns when all who waited have disconnected

"""Pages that depend on the site's data alone: the server and `export-site` make them by the same functions.

A group of such pages knows its addresses, and makes the page of an address. An address is a path from the site's
root, without a slash in front: `daily/2026-03-12/`, or nothing for the front page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Protocol

from newsletter.render.issue.catalogues import SOURCE

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a page a visitor wants that is not in its address.

    Attributes:
        language: for pages that are about no list; the tag of one that there is a catalogue for.
        query: the last value of each name in the query; a group takes no notice of names that it does not know.
        is_static: whether the page is written as a file, so that forms and other orders are left out.
    """

    language: str = SOURCE
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_static: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePage:
    """A page as it is served or written.

    `changed_at` is when what it shows last changed, as far as that is known; aware, UTC. `is_kept` says whether it
    is kept in memory for others. Answers to queries are not: there are any number of these.
    """

    content: bytes
    media_type: str = HTML
    changed_at: datetime | None = None
    is_kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPage:
    """A page that is at another address now."""

    address: str


class PageGroup(Protocol):
    """Pages of one kind."""

    def addresses(self) -> AsyncIterator[str]:
        """Yield the addresses of all pages, each once; pages link to no others of the group."""
        ...

    async def version(self, address: str, wanted: Wanted) -> str | None:
        """Return what changes whenever the page of an address may have changed; None: there is no such page.

        What of `wanted` the page depends on is part of it: two visitors with the same version get the same page.

        It is cheap: it costs few rows and renders nothing. Where it does not tell that there is none, `page` does.
        """
        ...

    async def page(self, address: str, wanted: Wanted) -> SitePage | MovedPage | None:
        """Return the page of an address; None: there is none.

        Raises:
            RenderError: a template is wrong; names template and line.
        """
        ...


def root_from(address: str) -> str:
    """Return the way from the page of an address back to the site's root, such as `../../`."""
    return "../" * address.count("/") or "./"


def version_of(*facts: str) -> str:
    """Return a short hash of all that a page depends on."""
    return blake2b("\0".join(facts).encode("utf-8", "replace"), digest_size=16).hexdigest()

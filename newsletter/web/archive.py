"""The web versions of issues: every listing with its whole abstract, for nobody in particular.

Each is made when it is first asked for, and kept. It depends on the frozen issue, on where it stands and on what
makes it, the templates and the program; a hash of all that is its name. So a page that is kept is never the wrong
one, and never one made half by old templates and half by new ones. Links of single readers are not in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from hashlib import blake2b
from typing import Protocol

from newsletter.core.issue import Issue
from newsletter.core.tokens import Links
from newsletter.ports import Issues
from newsletter.web.app import Kept
from newsletter.web.pages.kept import KeptPages


class IssuePages(Protocol):
    """Renders the web version of an issue."""

    def fingerprint(self, *, now: bool = False) -> str:
        """Return a text that is another one when the templates or the program are; up to date if `now`."""
        ...

    def issue_page(self, issue: Issue, *, web_url: str) -> str:
        """Return a whole HTML page."""
        ...


@dataclass(frozen=True, slots=True)
class IssueArchive:
    """The frozen issues as pages; honours the protocol of the public pages."""

    issues: Issues
    pages: IssuePages
    links: Links
    kept: KeptPages
    _being_made: dict[str, asyncio.Task[bytes]] = field(default_factory=dict)

    async def page(self, list_name: str, day: date) -> Kept | None:
        """Return the page of an issue, or None if there is none."""
        issue = await self.issues.outline(list_name, day)
        if issue is None:
            return None
        url, made_by = self.links.issue(list_name, day), self.pages.fingerprint()
        place = _hash(list_name, str(day))
        tag = _hash(list_name, str(day), str(issue.key), issue.frozen_at.isoformat(), url, made_by)
        return Kept(tag, partial(self._content, list_name, day, url, made_by, f"{place}-{tag}"))

    async def _content(self, list_name: str, day: date, url: str, made_by: str, name: str) -> bytes:
        """Return a page that is kept; make it if it isn't, once for all who ask meanwhile."""
        content = self.kept.read(name)
        if content is not None:
            return content
        making = self._being_made.get(name)
        if making is None:
            making = asyncio.create_task(self._make(list_name, day, url, made_by, name))
            self._being_made[name] = making
            making.add_done_callback(partial(self._made, name))
        return await asyncio.shield(making)  # whoever leaves leaves it to the others

    def _made(self, name: str, making: asyncio.Task[bytes]) -> None:
        del self._being_made[name]
        if not making.cancelled():
            making.exception()  # whoever waited for it may have left

    async def _make(self, list_name: str, day: date, url: str, made_by: str, name: str) -> bytes:
        issue = await self.issues.find(list_name, day)
        if issue is None:
            raise LookupError(f"issue {list_name} {day} is gone")
        # A thread, since a long issue takes long, and deliveries and other pages go on meanwhile.
        page = await asyncio.to_thread(self.pages.issue_page, issue, web_url=url)
        content = page.encode()
        if self.pages.fingerprint(now=True) == made_by:  # else templates have changed meanwhile
            await asyncio.to_thread(self.kept.write, name, content)
        return content


def _hash(*texts: str) -> str:
    return blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()

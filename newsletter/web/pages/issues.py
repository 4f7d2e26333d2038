"""The web versions of issues: each listing with its whole abstract, and no reader's own values.

A page is rendered at the first request and kept. Its name is a hash of all that the page depends on: the frozen
issue, the page's address, the templates and the program. So a kept page is never out of date.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.core.page_names import SIGN_UP
from newsletter.core.tokens import Links
from newsletter.ports import Issues
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import SigningUp
from newsletter.web import headers
from newsletter.web.pages.kept import KeptPages, Made


def routes(
    issues: Issues, signing_up: SigningUp, links: Links, renderer: PageRenderer, kept: KeptPages
) -> list[Route]:
    """Return the routes: a list's name leads to its newest issue, a day to the issue of that day.

    Args:
        issues: the frozen issues.
        signing_up: whether a list takes new readers, who then find a form on its pages.
        links: makes the address of an issue's page.
        renderer: renders a page.
        kept: the pages that were rendered before.
    """
    pages = _IssuePages(issues, signing_up, links, renderer, kept)
    return [Route("/{list}", pages.newest), Route("/{list}/{day}", pages.issue)]


@dataclass(frozen=True, slots=True)
class _IssuePages:
    issues: Issues
    signing_up: SigningUp
    links: Links
    renderer: PageRenderer
    kept: KeptPages

    async def newest(self, request: Request) -> Response:
        """Redirect to the newest issue, or to where readers sign up before there is one.

        `List-Archive` (RFC 2369) names this address.
        """
        name = request.path_params["list"]
        issue = await self.issues.outline(name)
        if issue is None and await self._signup_url(name):
            return RedirectResponse(self.links.sign_up(name), 302)
        if issue is None:
            raise HTTPException(404)
        return RedirectResponse(self.links.issue(issue.list, issue.day), 302)

    async def issue(self, request: Request) -> Response:
        """Show an issue."""
        list_name, day = request.path_params["list"], _day(request.path_params["day"])
        issue = await self.issues.outline(list_name, day) if day else None
        if day is None or issue is None:
            raise HTTPException(404)
        url, fingerprint = self.links.issue(list_name, day), self.renderer.fingerprint()
        signup_url = await self._signup_url(issue.masthead.readers_of)
        tag = _hash(list_name, str(day), str(issue.key), issue.frozen_at.isoformat(), url, signup_url, fingerprint)
        answered = {**headers.PUBLIC, "ETag": f'"{tag}"'}
        if _has(request, tag):
            return Response(None, 304, answered)

        async def render() -> Made:
            return await self._render(list_name, day, url, signup_url, fingerprint)

        return HTMLResponse(await self.kept.page(f"{_hash(list_name, str(day))}-{tag}", render), headers=answered)

    async def _signup_url(self, list_name: str) -> str:
        """Return where the form on a list's pages is sent, as seen from them; nothing if it takes no readers."""
        list_ = (await self.signing_up.lists_by_name()).get(list_name)
        return f"../{SIGN_UP}/{list_name}" if list_ and self.signing_up.is_open(list_) else ""

    async def _render(self, list_name: str, day: date, url: str, signup_url: str, fingerprint: str) -> Made:
        issue = await self.issues.find(list_name, day)
        if issue is None:
            raise LookupError(f"issue {list_name} {day} is gone")
        # In a thread: a long issue takes long, and delivery and other pages go on meanwhile.
        page = await asyncio.to_thread(self.renderer.issue_page, issue, web_url=url, signup_url=signup_url)
        # Templates that changed meanwhile may have made half of the page.
        return Made(page.encode(), lasts=self.renderer.fingerprint(now=True) == fingerprint)


def _hash(*texts: str) -> str:
    return blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()


def _has(request: Request, tag: str) -> bool:
    """Return whether the client already has the page with this ETag (If-None-Match; RFC 9110, 13.1.2)."""
    tags = [item.strip().removeprefix("W/") for item in request.headers.get("If-None-Match", "").split(",")]
    return f'"{tag}"' in tags or "*" in tags


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # each page has one address

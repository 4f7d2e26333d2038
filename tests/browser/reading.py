"""A browser in which somebody reads the pages of a site, and what each page must be like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, async_playwright

from tests.browser.node import NODE_MODULES
from tests.chromium import chromium
from tests.services import missing

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# How far parts of the page have moved since it was drawn (Cumulative Layout Shift).
MOVED = """() => new Promise(resolve => {
    let moved = 0;
    const add = list => list.forEach(entry => { moved += entry.value; });
    const observer = new PerformanceObserver(list => add(list.getEntries()));
    observer.observe({type: 'layout-shift', buffered: true});
    requestAnimationFrame(() => setTimeout(() => { add(observer.takeRecords()); resolve(moved); }, 0));
})"""
MOST_MOVED = 0.01  # of the window (https://web.dev/articles/cls)
WIDE, NARROW = 1280, 320


@dataclass
class Reading:
    """A page of a browser, and what was wrong with what it showed."""

    page: Page
    context: BrowserContext
    host: str
    elsewhere: set[str] = field(default_factory=set)  # what it asked of other hosts
    complaints: list[str] = field(default_factory=list)  # such as of the content policy
    looks: Any = field(default_factory=lambda: cycle([(WIDE, "light"), (NARROW, "dark")]))

    async def visit(self, address: str, *, is_fine: bool = True) -> int:
        """Go to a page and look at it; return the status. The browser complains of one that is not fine."""
        answer = await self.page.goto(address)
        if await self.page.evaluate(MOVED) >= MOST_MOVED:  # a busy machine shows a part before the rest has come
            answer = await self.page.goto(address)
        assert answer is not None
        if not is_fine:
            self.complaints.clear()
        await self.look()
        return answer.status

    async def look(self) -> None:
        """Look at the page that is shown: on a desk in the light, and the next time on a phone in the dark."""
        width, scheme = next(self.looks)
        moved = await self.page.evaluate(MOVED)
        await self.page.set_viewport_size({"width": width, "height": 900})
        await self.page.emulate_media(color_scheme=scheme)
        where = f"{self.page.url} ({width} px, {scheme})"
        found = await self.findings()
        assert not found, f"{where}: {found}"
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= width, where
        assert moved < MOST_MOVED, where
        assert not self.elsewhere, f"{where}: {self.elsewhere}"
        assert not self.complaints, f"{where}: {self.complaints}"

    async def findings(self) -> list[str]:
        """Return what axe finds on the page."""
        return await findings(self.page)

    async def cookies(self) -> list[Any]:
        """Return the cookies that were set."""
        return list(await self.context.cookies())


async def findings(page: Page) -> list[str]:
    """Return what axe finds on a page. It comes by the debugger: the content policy of pages lets no script in."""
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    asked = f"axe.run(document, {{runOnly: {RULES}}})"
    answer = await session.send(
        "Runtime.evaluate", {"expression": asked, "awaitPromise": True, "returnByValue": True}
    )
    await session.detach()
    found = answer["result"]["value"]
    assert len(found["passes"]) > 5
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[Reading]:
    """Open a browser for the pages of a site."""
    if not AXE.exists():
        missing("axe-core (npm ci in tests/node)")
    address = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(address)
        context = await browser.new_context(base_url=url, viewport={"width": WIDE, "height": 900})
        page = await context.new_page()
        read = Reading(page, context, urlsplit(url).netloc)
        page.on("request", lambda asked: _note(read, asked.url))
        page.on("console", lambda said: _note_error(read, said))
        page.on("pageerror", lambda error: read.complaints.append(str(error)))
        yield read
        await browser.close()


def _note(read: Reading, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "data" and parts.netloc != read.host:
        read.elsewhere.add(url)


def _note_error(read: Reading, said: ConsoleMessage) -> None:
    if said.type == "error":
        read.complaints.append(f"{said.text} {said.location['url']}")

"""Scanners follow every link of a mail before its reader does, with and without scripts: that changes nothing."""

from __future__ import annotations

import asyncio
import os
import re
from email import message_from_bytes
from email.policy import default
from html import unescape
from itertools import cycle, islice, product
from typing import Any

import sqlalchemy as sa
from playwright.async_api import Route

from newsletter.core.choice import Choice
from newsletter.core.delivery import Delivery, DeliveryState
from newsletter.store.engine import Database
from newsletter.store.tables import metadata
from tests.web.browser import browser_page
from tests.web.site import DAY, LINKS, NOW, READER, Site
from tests.web.test_links_of_mails import RENDERER

REQUESTS = int(os.environ.get("SCANNER_REQUESTS", "600"))  # 2000 take a quarter of a minute
_AT_ONCE = 20


async def links(site: Site) -> list[str]:
    """Return the paths of our own pages that a real mail links to, in its headers and in both parts."""
    issue = await site.store.issues.find("daily", DAY)
    assert issue is not None
    delivery = Delivery(
        key=7,
        issue_key=issue.key,
        subscriber_key=site.reader_key,
        subscriber=READER,
        state=DeliveryState.SENDING,
        due_at=NOW,
        choice=Choice.first(1),
        subject="Sparse teachers",
    )
    mail = message_from_bytes(
        RENDERER.message(issue, RENDERER.render(issue)).for_reader(delivery)[1], policy=default
    )
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    texts = [unescape(text) for text in (*parts, *map(str, mail.values()))]
    found = {link for text in texts for link in re.findall(rf"{re.escape(LINKS.public_url)}/[^\s\"<>]*", text)}
    return sorted(link.removeprefix(LINKS.public_url) for link in found)


async def content(site: Site) -> dict[str, list[Any]]:
    """Return all that is in the ledger."""
    database: Database = site.store._database  # type: ignore[attr-defined]
    async with database.read() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(sa.select(table))]
            for table in metadata.sorted_tables
        }


async def test_hundreds_of_requests_of_a_scanner_change_nothing_and_one_post_does(site: Site) -> None:
    paths = await links(site)
    kinds = {path.split("/")[2] for path in paths if path.startswith("/-/")}
    assert kinds >= {"unsubscribe", "preferences", "feedback", "cite", "signup"}
    before = await content(site)
    wanted = islice(cycle(product(paths, ("GET", "HEAD", "OPTIONS"))), REQUESTS)
    slots, statuses = asyncio.Semaphore(_AT_ONCE), set()

    async def scan(path: str, method: str) -> None:
        async with slots:
            answer = await site.client.request(method, path)
            while answer.is_redirect:
                answer = await site.client.request(
                    method, answer.headers["location"].removeprefix(LINKS.public_url)
                )
            statuses.add((method, answer.status_code))

    await asyncio.gather(*(scan(path, method) for path, method in wanted))

    assert statuses == {("GET", 200), ("HEAD", 200), ("OPTIONS", 405)}
    assert await content(site) == before
    [leave] = [path for path in paths if path.startswith("/-/unsubscribe/")]
    await site.client.post(leave, data={"List-Unsubscribe": "One-Click"})
    assert await content(site) != before


async def test_a_scanner_that_runs_scripts_changes_nothing(site: Site) -> None:
    paths, before = await links(site), await content(site)
    here = str(site.client.base_url).rstrip("/")

    async def follow(route: Route) -> None:
        answer = await route.fetch(max_redirects=0)
        while target := answer.headers.get("location"):
            answer = await route.fetch(url=target.replace(LINKS.public_url, here), max_redirects=0)
        await route.fulfill(response=answer)

    async with browser_page(here) as page:
        await page.route("**/*", follow)
        for path in paths:
            answer = await page.goto(path, wait_until="networkidle")
            assert answer is not None
            assert answer.status == 200
        assert await content(site) == before
        [weekly] = [path for path in paths if path.endswith("/weekly")]
        await page.goto(weekly)
        await page.get_by_role("button").click()
        await page.wait_for_load_state()
    assert await content(site) != before

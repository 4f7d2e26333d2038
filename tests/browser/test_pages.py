"""All pages of a site in one browser: no link is dead, and each is as `Reading.look` asks."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin, urlsplit

from tests.browser.reading import Reading, reading
from tests.browser.sample_site import TOKEN, sample_site

# Of pages that are alike some will do: papers, and the days and orders of a list.
OF_A_KIND = {"p": 2, "daily": 6}


def kind(path: str) -> str:
    return path.strip("/").partition("/")[0]


async def links(reader: Reading) -> list[str]:
    """Return the addresses of pages of the site that a page leads to, without what stands behind #."""
    hrefs = await reader.page.eval_on_selector_all(
        "a[href], link[rel~=alternate], link[rel~=icon]", "found => found.map(one => one.href)"
    )
    found = {urljoin(reader.page.url, href).partition("#")[0] for href in hrefs}
    return sorted(one for one in found if urlsplit(one).netloc == reader.host)


async def crawled(reader: Reading, start: str, *, below: str = "/") -> set[str]:
    """Look at pages that lead to each other, from a first one on; return the addresses of all that is linked.

    Only pages below a path are looked at.
    """
    known, left, counts = {start}, [start], dict[str, int]()
    while left:
        address = left.pop(0)
        assert await reader.visit(address) == 200, address
        for link in await links(reader):
            path = urlsplit(link).path
            if link in known or not path.startswith(below):
                continue
            known.add(link)
            counts[kind(path)] = counts.get(kind(path), 0) + 1
            if path.endswith("/") and counts[kind(path)] <= OF_A_KIND.get(kind(path), 14):
                left.append(link)
    return known


async def test_every_page_of_the_site_is_reached_and_none_of_its_links_is_dead(tmp_path: Path) -> None:
    async with sample_site(tmp_path) as site, reading(site.url) as reader:
        found = await crawled(reader, f"{site.url}/")
        kinds = {kind(urlsplit(one).path) for one in found}
        assert {"", "daily", "p", "-", "favicon.ico"} <= kinds
        for address in sorted(found):
            answer = await reader.context.request.get(address)
            assert answer.status == 200, address
        for address in ("-/search/?q=agent", "-/search/?q=nothing+of+the+kind", "-/signup/daily", "-/api/"):
            assert await reader.visit(f"{site.url}/{address}") == 200
        assert await reader.visit(f"{site.url}/nowhere/", is_fine=False) == 404
        assert await reader.cookies() == []


async def test_every_page_of_the_operator_is_reached_and_as_fine(tmp_path: Path) -> None:
    async with sample_site(tmp_path) as site, reading(site.url) as reader:
        assert await reader.visit(f"{site.url}/-/admin/sign-in") == 200
        await reader.page.locator("input[name=token]").fill(TOKEN)
        async with reader.page.expect_navigation():
            await reader.page.keyboard.press("Enter")
        found = await crawled(reader, f"{site.url}/-/admin/", below="/-/admin/")
        names = {urlsplit(one).path.removeprefix("/-/admin/").partition("/")[0] for one in found}
        assert names >= {"", "issues", "deliveries", "readers", "suppressions", "sources", "workers", "errors"}

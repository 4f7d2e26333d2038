from __future__ import annotations

import asyncio

from newsletter.render.lint import Level, dead_links
from tests.render import mails as make
from tests.render.planted import in_page

OWN = make.LINKS.public_url


async def test_links_that_lead_nowhere_are_warnings_with_their_reason() -> None:
    async def problem(link: str) -> str:
        return "answered 404" if link.endswith("/1") else ""

    (finding,) = await dead_links(make.mail(), problem, own=OWN)
    assert (finding.rule, finding.level) == ("dead-link", Level.WARNING)
    assert (finding.where, finding.message) == ("link https://example.org/1", "answered 404")


async def test_links_of_both_parts_and_pictures_are_asked_for_once_and_our_own_pages_never() -> None:
    asked: list[str] = []

    async def problem(link: str) -> str:
        asked.append(link)
        return ""

    more = '<img src="https://cdn.example.org/a.png"><a href="mailto:a@example.org"></a><a href="#x"></a></body>'
    raw = in_page("</body>", more, text=("--\n", "https://example.org/in-text\n--\n"))
    assert await dead_links(raw, problem, own=OWN) == []
    assert sorted(asked) == [
        "https://cdn.example.org/a.png",
        *(f"https://example.org/{number}" for number in range(3)),
        "https://example.org/in-text",
    ]


async def test_hosts_are_asked_side_by_side_and_each_one_by_one() -> None:
    at_once: list[str] = []
    most = 0
    both = asyncio.Barrier(2)

    async def problem(link: str) -> str:
        nonlocal most
        host = link.split("/")[2]
        assert host not in at_once
        at_once.append(host)
        if link in {"https://example.org/0", "https://other.example.org/"}:
            await both.wait()
        most = max(most, len(at_once))
        at_once.remove(host)
        return ""

    raw = in_page("</body>", '<img src="https://other.example.org/"></body>')
    await dead_links(raw, problem, own=OWN)
    assert most == 2

"""Checks that ask the web: whether what a mail links to is there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from newsletter.render.lint.finding import Finding, Level, Rule
from newsletter.render.lint.links import targets
from newsletter.render.lint.mail import Mail

DEAD_LINK = Rule("dead-link", "Who is led nowhere trusts the next link less.", Level.WARNING)

_HOSTS_AT_ONCE = 8


async def dead_links(raw: bytes, problem: Callable[[str], Awaitable[str]], *, own: str) -> list[Finding]:
    """Return the links and pictures of a mail that lead nowhere, in the mail's order.

    Several hosts are asked at a time, and one host one thing after the other.

    Args:
        raw: the final bytes.
        problem: asks for an address, and returns why nobody gets to see what is there, or nothing.
        own: where the newsletter's own pages are, or nothing. They are not asked: they may not be up yet, and the
            way out of a mail to nobody leads nowhere.
    """
    links = [link for link in targets(Mail(raw)) if not link.startswith(f"{own}/")]
    by_host: defaultdict[str, list[str]] = defaultdict(list)
    for link in links:
        by_host[urlsplit(link).netloc].append(link)
    problems: dict[str, str] = {}
    turn = asyncio.Semaphore(_HOSTS_AT_ONCE)

    async def ask(of_one_host: Sequence[str]) -> None:
        async with turn:
            for link in of_one_host:
                problems[link] = await problem(link)

    await asyncio.gather(*map(ask, by_host.values()))
    return [DEAD_LINK.found(f"link {link}", problems[link]) for link in links if problems[link]]

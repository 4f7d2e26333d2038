"""Checks on the web: whether the links of a mail work."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from newsletter.render.lint.finding import Finding, Level, Rule
from newsletter.render.lint.links import spot_of_link, targets
from newsletter.render.lint.mail import Mail

DEAD_LINK = Rule("dead-link", "Readers who follow it find nothing.", Level.WARNING)

_HOSTS_AT_ONCE = 8
_FAILURES = 3  # in a row, after which a host gets no more requests: each may take half a minute


async def dead_links(
    raw: bytes,
    problem: Callable[[str], Awaitable[str]],
    *,
    own: str,
    progress: Callable[[int, int], object] | None = None,
) -> list[Finding]:
    """Return findings on the dead links and pictures of a mail, in the mail's order.

    Several hosts are asked at the same time, but each host gets one request after another. One that fails again
    and again is asked no more, and the rest of its links have its last problem.

    Args:
        raw: the final bytes.
        problem: requests an address, and returns why a visitor gets nothing there, or nothing if all is well.
        own: the address of the newsletter's own pages, or nothing. They get no request: they may not be online
            yet, and the unsubscribe link of a test mail does not work.
        progress: is called with how many links are done and how many there are, after each.
    """
    mail = Mail(raw)
    links = [link for link in targets(mail) if not link.startswith(f"{own}/")]
    by_host: defaultdict[str, list[str]] = defaultdict(list)
    for link in links:
        by_host[urlsplit(link).netloc].append(link)
    problems: dict[str, str] = {}
    turn = asyncio.Semaphore(_HOSTS_AT_ONCE)

    async def ask(of_one_host: Sequence[str]) -> None:
        async with turn:
            failures, reason = 0, ""
            for link in of_one_host:
                if failures < _FAILURES:
                    reason = await problem(link)
                    failures = failures + 1 if reason else 0
                problems[link] = reason
                if progress:
                    progress(len(problems), len(links))

    await asyncio.gather(*map(ask, by_host.values()))
    return [_found(mail, link, problems[link]) for link in links if problems[link]]


def _found(mail: Mail, link: str, problem: str) -> Finding:
    return DEAD_LINK.found(f"link {link}", problem, spot=spot_of_link(mail, link))

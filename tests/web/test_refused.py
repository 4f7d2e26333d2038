"""A token that is altered, cut, too old, used, or made for something else is refused like one that nobody made.

Refused alike means the same status, headers and body, and the same questions to the ledger, so that the time tells
nothing either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.core.leaving import UNDO_FOR
from newsletter.core.moving import end_of
from newsletter.core.signup import SignUpMail, SignUpRequest
from newsletter.core.syncing import LEFT
from newsletter.core.tokens import Links
from newsletter.store.engine import Database
from tests.web.site import DAY, LINKS, NOW, Site

OTHER = Links(LINKS.public_url, "another secret")
SOON = NOW + timedelta(days=3)

# Each page that takes a token: its path, the way of asking, and the kind of token that it is made for.
PAGES = {
    "unsubscribe": ("/-/unsubscribe/{}", "GET", "unsubscribe"),
    "leave": ("/-/unsubscribe/{}", "POST", "unsubscribe"),
    "leave, by an old link": ("/unsubscribe/{}", "POST", "unsubscribe"),
    "stay": ("/-/stay/{}", "GET", "stay"),
    "undo": ("/-/stay/{}", "POST", "stay"),
    "preferences": ("/-/preferences/{}", "GET", "preferences"),
    "save": ("/-/preferences/{}", "POST", "preferences"),
    "weekly": ("/-/preferences/{}/weekly", "GET", "preferences"),
    "choose weekly": ("/-/preferences/{}/weekly", "POST", "preferences"),
    "another address": ("/-/preferences/{}/address", "POST", "preferences"),
    "new address": ("/-/new-address/{}", "GET", "new_address"),
    "move": ("/-/new-address/{}", "POST", "new_address"),
    "asks to confirm": ("/-/confirm/{}", "GET", "confirm"),
    "confirm": ("/-/confirm/{}", "POST", "confirm"),
    "asks to decide": ("/-/decide/{}", "GET", "decide"),
    "decide": ("/-/decide/{}", "POST", "decide"),
    "feedback": ("/-/feedback/{}/1/more", "GET", "feedback_of"),
    "say": ("/-/feedback/{}/1/more", "POST", "feedback_of"),
}
# The page by which a link is used that another one asks about.
DOES = {"stay": "undo", "new address": "move", "asks to confirm": "confirm"}
ENDING = {"stay", "new_address", "confirm", "decide"}


def tokens(links: Links, key: int) -> dict[str, str]:
    """Return a token of each kind for a number, by the name of the method that makes its link."""
    made = {name: getattr(links, name)(key) for name in ("unsubscribe", "preferences", "feedback_of")}
    made |= {name: getattr(links, name)(key, SOON) for name in ENDING}
    return {name: link.rpartition("/")[2] for name, link in made.items()}


def spoilt(token: str) -> Iterator[str]:
    """Yield a token altered at some places, cut and lengthened."""
    for place in (0, len(token) // 2, len(token) - 1):
        yield f"{token[:place]}{'B' if token[place] == 'A' else 'A'}{token[place + 1 :]}"
    yield from (token[:-1], token[1:], f"{token}A", f"{token}=", token.swapcase(), "A", "1")


@contextmanager
def questions(site: Site) -> Iterator[Counter[str]]:
    """Count the statements that the ledger is asked meanwhile."""
    database: Database = site.store._database  # type: ignore[attr-defined]
    asked: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked[statement] += 1

    engine = database.writer.sync_engine
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)


async def answer(site: Site, page: str, token: str) -> tuple[Any, ...]:
    """Return all that shows of the answer of a page to a token."""
    path, method, _ = PAGES[page]
    data = {"name": "Ada", "new_address": "ann@lab.example"} if method == "POST" else None
    with questions(site) as asked:
        got = await site.client.request(method, path.format(token), data=data)
    headers = {name: value for name, value in got.headers.items() if name != "date"}
    return got.status_code, headers, got.text, asked


async def expect_alike(site: Site, page: str, refused: list[str]) -> None:
    """Find out whether a page refuses tokens as it refuses those that we did not make."""
    unknown = await answer(site, page, tokens(OTHER, site.reader_key)[PAGES[page][2]])
    assert unknown[0] == 404
    assert "This link does not work" in unknown[2]
    for token in refused:
        assert await answer(site, page, token) == unknown


@pytest.mark.parametrize("page", PAGES)
async def test_what_was_altered_or_made_for_something_else_is_refused_like_what_nobody_made(
    site: Site, page: str
) -> None:
    before = await site.reader()
    mine = tokens(LINKS, site.reader_key)
    right = mine.pop(PAGES[page][2])
    await expect_alike(site, page, [*spoilt(right), *mine.values()])
    assert await site.reader() == before


@pytest.mark.parametrize("page", ["stay", "undo", "new address", "move", "asks to confirm", "confirm"])
async def test_what_is_too_old_or_was_used_is_refused_like_what_nobody_made(site: Site, page: str) -> None:
    if PAGES[page][2] == "stay":
        await site.store.subscribers.leave(site.reader_key, reason=LEFT, now=NOW)
        leaving = await site.store.leavings.last(site.reader_key)
        assert leaving is not None
        link = LINKS.stay(leaving.key, leaving.at + UNDO_FOR)
    elif PAGES[page][2] == "confirm":
        request = SignUpRequest(email="ann@lab.example")
        await site.store.signups.ask("daily", request, client="", now=NOW)
        await site.store.signups.mail_sent(1, SignUpMail.CONFIRM, now=NOW)
        link = LINKS.confirm(1, SOON)
    else:
        await site.store.address_changes.ask(site.reader_key, "ann@lab.example", now=NOW)
        [change] = await site.store.address_changes.to_confirm(now=NOW)
        link = LINKS.new_address(change.key, end_of(change.asked_at))
    token = link.rpartition("/")[2]
    site.now = NOW + timedelta(days=8)
    await expect_alike(site, page, [token])
    site.now = NOW
    used = await answer(site, DOES.get(page, page), token)
    assert used[0] == 200
    await expect_alike(site, page, [token])


async def test_a_token_speaks_of_no_paper_of_another_list(site: Site) -> None:
    token = tokens(LINKS, site.reader_key)["feedback_of"]
    got = await site.client.post(f"/-/feedback/{token}/4711/more")
    assert got.status_code == 404
    assert await site.store.feedback.all_of(site.reader_key) == []
    issue = await site.store.issues.find("daily", DAY)
    assert issue is not None
    assert (await site.client.post(f"/-/feedback/{token}/{issue.listings[0].key}/more")).status_code == 200

"""Leaving can be undone from its page, once; a reader may have less instead, and may say why they left."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from newsletter.core.newsletter_list import Cadence
from newsletter.core.tokens import TEST_COPY
from tests.web.site import NOW, READER, Site, unsubscribe_path


def undo_path(page: str) -> str:
    """Return where the page of leaving undoes it, as the browser finds it."""
    found = re.search(r'<form class="row" method="post" action="(?:\.\./)+(-/stay/[\w-]+)">', page)
    assert found is not None
    return f"/{found[1]}"


async def left(site: Site) -> str:
    """Leave by the page's button, and return where it is undone."""
    return undo_path((await site.client.post(site.path)).text)


async def test_leaving_is_undone_by_the_button_and_not_by_following_its_link(site: Site) -> None:
    path = await left(site)
    page = await site.client.get(path)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert await site.has_left()
    answer = await site.client.post(path)
    assert "<h1>You stay on Papers &amp; &lt;More&gt;</h1>" in answer.text
    assert "set-cookie" not in answer.headers
    assert not await site.has_left()


async def test_who_left_by_one_click_finds_the_way_back_by_the_link_of_the_mail(site: Site) -> None:
    await site.client.post(site.path, data={"List-Unsubscribe": "One-Click"})
    page = (await site.client.get(site.path)).text
    assert "<h1>You have left already</h1>" in page
    assert "Thursday, 12 March 2026" in page
    await site.client.post(undo_path(page))
    assert not await site.has_left()
    assert "Unsubscribe from Papers" in (await site.client.get(site.path)).text


async def test_it_is_undone_once_and_within_a_week(site: Site) -> None:
    path = await left(site)
    await site.client.post(path)
    twice = await site.client.post(path)
    assert twice.status_code == 404
    assert "If you have just pressed the button, all is done." in twice.text
    again = await left(site)
    assert (await site.client.post(path)).status_code == 404
    site.now = NOW + timedelta(days=7)
    assert (await site.client.get(again)).status_code == 404
    assert (await site.client.post(again)).status_code == 404
    assert await site.has_left()
    page = (await site.client.get(site.path)).text
    assert "You have left already" in page
    assert "Undo" not in page


async def test_weekly_instead_is_kept_and_nobody_leaves(site: Site) -> None:
    assert 'value="weekly"' in (await site.client.get(site.path)).text
    answer = await site.client.post(site.path, data={"instead": "weekly"})
    assert "<h1>You get the best of each week</h1>" in answer.text
    assert (await site.reader()).cadence is Cadence.WEEKLY
    assert not await site.has_left()
    assert 'value="weekly"' not in (await site.client.get(site.path)).text


async def test_a_pause_of_a_month_is_kept_and_nobody_leaves(site: Site) -> None:
    answer = await site.client.post(site.path, data={"instead": "pause"})
    assert "<h1>Your mails pause</h1>" in answer.text
    assert "Saturday, 11 April 2026" in answer.text
    assert (await site.reader()).paused_until == date(2026, 4, 11)
    assert not await site.has_left()


async def test_who_left_may_come_back_to_weekly_mails(site: Site) -> None:
    path = await left(site)
    answer = await site.client.post(path, data={"instead": "weekly"})
    assert "<h1>You get the best of each week</h1>" in answer.text
    assert (await site.reader()).cadence is Cadence.WEEKLY
    assert not await site.has_left()


async def test_what_is_offered_instead_brings_nobody_back(site: Site) -> None:
    await left(site)
    for instead in ("weekly", "pause"):
        assert "You have left already" in (await site.client.post(site.path, data={"instead": instead})).text
        assert await site.has_left()
    assert (await site.reader()).cadence is None


@pytest.mark.parametrize("body", ["instead=never", "instead", "instead=%ff", "&" * 5000])
async def test_no_mistake_in_what_is_offered_instead_keeps_anybody_on_the_list(site: Site, body: str) -> None:
    await site.client.post(site.path, content=body)
    assert await site.has_left()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"why": "too_many"}, "too many papers"),
        ({"why": "words", "words": " I am\r\nmoving \u202eto whales "}, "I am moving to whales"),
        ({"why": "words", "words": "x" * 300}, "x" * 200),
        ({"why": "words", "words": " "}, ""),
    ],
)
async def test_why_a_reader_left_is_kept_with_the_suppression(site: Site, said: dict[str, str], kept: str) -> None:
    await left(site)
    answer = await site.client.post(site.path, data=said)
    assert ("Thank you for saying why" in answer.text) == bool(kept)
    [one] = await site.store.suppressions.find(list_name="daily")
    assert (one.reason, one.evidence) == ("unsubscribed", kept)


async def test_saying_why_takes_nobody_off(site: Site) -> None:
    answer = await site.client.post(site.path, data={"why": "too_many"})
    assert "Unsubscribe from Papers" in answer.text
    assert not await site.has_left()


async def test_in_a_test_copy_nothing_is_chosen_either(site: Site) -> None:
    for data in ({"instead": "weekly"}, {"why": "too_many"}):
        answer = await site.client.post(unsubscribe_path(TEST_COPY), data=data)
        assert "<h1>This is a test copy</h1>" in answer.text
    assert (await site.reader()) == READER


async def test_who_is_out_without_having_left_is_told_so_and_cannot_undo_it(site: Site) -> None:
    await site.store.subscribers.suppress(READER.email, list_name="daily", reason="550 no such user", now=NOW)
    page = (await site.client.get(site.path)).text
    assert "<h1>You are unsubscribed</h1>" in page
    assert '<p class="tick note">Unsubscribed</p>' in page
    assert "Undo" not in page

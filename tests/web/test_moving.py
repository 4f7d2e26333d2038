"""A reader moves to another address: asked for on their page, and confirmed from the new address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.core.moving import VALID_FOR, end_of
from newsletter.core.subscriber import Subscriber
from newsletter.core.syncing import LEFT
from tests.store.samples import join
from tests.web.site import LINKS, NOW, READER, Site
from tests.web.test_preferences import path_of

NEW = "ann@lab.example"


async def ask(site: Site, email: str = NEW) -> str:
    """Ask for another address on the reader's page; return the answer's page."""
    answer = await site.client.post(f"{path_of(site.reader_key)}/address", data={"new_address": email})
    assert answer.status_code == 200
    return answer.text


async def path(site: Site) -> str:
    """Return the path of the link in the mail to the new address."""
    [change] = await site.store.address_changes.to_confirm(now=site.now)
    return LINKS.new_address(change.key, end_of(change.asked_at)).removeprefix(LINKS.public_url)


async def test_a_reader_moves_by_the_button_of_the_page_that_the_new_address_is_mailed(site: Site) -> None:
    assert "Look into the inbox of the new address" in await ask(site)
    assert site.woken == 1
    link = await path(site)
    page = (await site.client.get(link)).text
    assert NEW in page
    assert "o•••@example.org" in page
    assert (await site.reader()).email == READER.email
    answer = await site.client.post(link)
    assert "<h1>You have moved</h1>" in answer.text
    assert (await site.reader()).email == NEW
    assert site.woken == 2
    [told] = await site.store.address_changes.to_tell(now=NOW)
    assert told.former_email == READER.email


async def test_the_link_works_once_and_for_some_days(site: Site) -> None:
    await ask(site)
    link = await path(site)
    site.now = NOW + VALID_FOR
    for answer in (await site.client.get(link), await site.client.post(link)):
        assert answer.status_code == 404
    site.now = NOW + VALID_FOR - timedelta(seconds=1)
    assert (await site.client.post(link)).status_code == 200
    for answer in (await site.client.get(link), await site.client.post(link)):
        assert answer.status_code == 404


@pytest.mark.parametrize("case", ["known", "suppressed", "own", "too often"])
async def test_the_answer_is_the_same_where_nothing_is_done(site: Site, case: str) -> None:
    email = READER.email if case == "own" else NEW
    if case == "known":
        await join(site.store, Subscriber(list="daily", email=email), now=NOW)
    if case == "suppressed":
        await site.store.subscribers.suppress(email, list_name=None, reason=LEFT, now=NOW)
    if case == "too often":
        for number in range(3):
            await ask(site, f"a{number}@lab.example")
    woken = site.woken
    page = await ask(site, email)
    assert site.woken == woken
    assert NEW not in [one.email for one in await site.store.address_changes.to_confirm(now=NOW)]
    shown = await ask(site, "free@lab.example")
    assert page.replace(email.replace("'", "&#39;"), "…") == shown.replace("free@lab.example", "…")


@pytest.mark.parametrize(
    "typed", ["", "ann", "ann@lab", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"]
)
async def test_what_is_no_address_is_told_beside_the_field(site: Site, typed: str) -> None:
    answer = await site.client.post(f"{path_of(site.reader_key)}/address", data={"new_address": typed})
    assert answer.status_code == 422
    assert "This is no address that mail can go to." in answer.text
    assert site.woken == 0
    assert await site.store.address_changes.to_confirm(now=NOW) == []


async def test_following_the_address_of_the_form_is_no_asking(site: Site) -> None:
    answer = await site.client.get(f"{path_of(site.reader_key)}/address")
    assert answer.status_code == 405
    assert await site.store.address_changes.to_confirm(now=NOW) == []

"""A reader's own page: GET shows what they wish, POST keeps it, for the reader of the link and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from newsletter.core.choice import ReasonKind, TextKind
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import Follow
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Subscriber
from newsletter.core.syncing import LEFT
from newsletter.core.tokens import TEST_COPY
from newsletter.core.topics import TopicsMode
from newsletter.readers.preferences import fields_of
from tests.store.samples import join, key_of
from tests.web.site import DAY, LINKS, NOW, READER, Site


def path_of(key: int) -> str:
    return LINKS.preferences(key).removeprefix(LINKS.public_url)


async def form(site: Site, **changes: Any) -> dict[str, Any]:
    """Return what the page's form sends: what it shows, with changes."""
    list_ = site.lists.read().right["daily"].list
    fields = fields_of((await site.reader()).wishes, list_, today=DAY)
    return {**fields, **changes}


async def save(site: Site, **changes: Any) -> Any:
    return await site.client.post(path_of(site.reader_key), data=await form(site, **changes))


ALL = {
    "name": "Ada",
    "cadence": "weekly",
    "days": ["mon", "wed"],
    "hour": "07:30",
    "timezone": "Asia/Tokyo",
    "paused_until": "2026-04-01",
    "topics": ["agents"],
    "topics_mode": "only",
    "authors": "Ada Lovelace\r\n\r\n Grace  Hopper ",
    "organizations": "Example Lab",
    "keywords": "state space",
    "interest": "small models\nthat run anywhere",
    "papers": "2501.12345\nhttps://arxiv.org/abs/2602.00001v2",
    "text": "abstract",
    "language": "de",
}


async def test_what_a_reader_chooses_is_kept_and_shown(site: Site) -> None:
    answer = await save(site, **ALL)
    assert answer.status_code == 200
    assert "Gespeichert" in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    reader = await site.reader()
    assert (
        reader.wishes
        == replace(
            READER,
            name="Ada",
            cadence=Cadence.WEEKLY,
            days=(0, 2),
            hour=time(7, 30),
            timezone="Asia/Tokyo",
            paused_until=date(2026, 4, 1),
            topics=("agents",),
            topics_mode=TopicsMode.ONLY,
            follows=(
                Follow(ReasonKind.AUTHOR, "Ada Lovelace"),
                Follow(ReasonKind.AUTHOR, "Grace Hopper"),
                Follow(ReasonKind.ORGANIZATION, "Example Lab"),
                Follow(ReasonKind.KEYWORD, "state space"),
            ),
            interest="small models that run anywhere",
            examples=(GivenPaper("2501.12345"), GivenPaper("2602.00001")),
            text=TextKind.ABSTRACT,
            language="de",
        ).wishes
    )
    assert (reader.email, reader.status) == (READER.email, READER.status)
    page = (await site.client.get(path_of(site.reader_key))).text
    assert '<html lang="de"' in page
    assert "Grace Hopper" in page
    assert await form(site) == await form(site, **(await form(site)))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_following_the_link_changes_nothing_and_names_the_address_in_part(site: Site, method: str) -> None:
    answer = await site.client.request(method, path_of(site.reader_key))
    assert answer.status_code == 200
    assert await site.reader() == READER
    if method == "GET":
        assert "o•••@example.org" in answer.text
        assert "o&#39;reader" not in answer.text
        assert "tool use" in answer.text


async def test_saving_what_is_shown_changes_nothing(site: Site) -> None:
    await save(site)
    assert await site.reader() == READER
    [record] = await site.store.subscribers.records(list_name="daily")
    assert record.own_wishes_since is None


async def test_a_mistake_stands_beside_its_field_and_what_was_typed_is_kept(site: Site) -> None:
    answer = await save(site, hour="25:00", keywords="whales", papers="2501.12345\nno paper <b>", name="Ada")
    assert answer.status_code == 422
    page = answer.text
    assert "Not saved yet" in page
    assert "“25:00” is no time of day" in page
    assert "“no paper &lt;b&gt;” is no paper of arXiv" in page
    assert 'value="Ada"' in page
    assert "whales</textarea>" in page
    assert await site.reader() == READER


async def test_a_form_that_is_not_the_pages_own_changes_nothing(site: Site) -> None:
    await save(site, **ALL)
    before = await site.reader()
    for body in (b"", b"topics=vision", b"\xff\xfe", b"a=&" * 5000):
        assert (await site.client.post(path_of(site.reader_key), content=body)).status_code == 200
    assert await site.reader() == before


async def test_a_body_beyond_all_reason_is_refused(site: Site) -> None:
    answer = await site.client.post(path_of(site.reader_key), content=b"name=" + b"x" * 100_000)
    assert answer.status_code == 413


async def test_topics_that_the_list_has_not_are_not_kept(site: Site) -> None:
    await save(site, topics=["agents", "whales"])
    assert (await site.reader()).topics == ("agents",)


async def test_what_was_said_of_papers_can_be_taken_back(site: Site) -> None:
    issue = await site.store.issues.find("daily", DAY)
    assert issue is not None
    await site.store.feedback.say(site.reader_key, issue.listings[0].key, liked=True, now=NOW)
    path = path_of(site.reader_key)
    assert "Sparse teachers" in (await site.client.get(path)).text
    answer = await site.client.post(path, data={"take_back": str(issue.listings[0].key)})
    assert "Sparse teachers" not in answer.text
    assert await site.store.feedback.all_of(site.reader_key) == []


async def test_weekly_instead_asks_first(site: Site) -> None:
    path = f"{path_of(site.reader_key)}/weekly"
    assert "<h1>The best of each week instead?</h1>" in (await site.client.get(path)).text
    assert (await site.reader()).cadence is None
    for answer in (await site.client.post(path), await site.client.get(path)):
        assert "<h1>You get the best of each week</h1>" in answer.text
    assert (await site.reader()).cadence is Cadence.WEEKLY


async def test_a_list_whose_file_is_wrong_says_so_and_nothing_is_lost(site: Site) -> None:
    (site.lists.folder / "daily.toml").write_text("title = 3")
    for answer in (await site.client.get(path_of(site.reader_key)), await save_anyway(site)):
        assert answer.status_code == 503
        assert "Please come back later" in answer.text
    assert await site.reader() == READER


async def save_anyway(site: Site) -> Any:
    return await site.client.post(path_of(site.reader_key), data={"name": "Ada"})


async def test_who_has_left_is_led_to_the_page_that_says_so(site: Site) -> None:
    await site.store.subscribers.leave(site.reader_key, reason=LEFT, now=NOW)
    path = path_of(site.reader_key)
    for answer in (await site.client.get(path), await site.client.post(path, data={"name": "Ada"})):
        assert answer.status_code == 303
        shown = await site.client.get(answer.url.join(answer.headers["location"]))
        assert "You have left already" in shown.text
    assert (await site.reader()).name == READER.name


async def test_links_of_test_copies_say_so_and_change_nothing(site: Site) -> None:
    for path in (path_of(TEST_COPY), f"{path_of(TEST_COPY)}/weekly"):
        for answer in (await site.client.get(path), await site.client.post(path, data={"name": "Ada"})):
            assert "<h1>This is a test copy</h1>" in answer.text
    assert await site.reader() == READER


async def test_nobody_else_is_changed(site: Site) -> None:
    other = Subscriber(list="daily", email="other@example.org", topics=("vision",))
    await join(site.store, other, now=NOW)
    await save(site, **ALL)
    assert await site.store.subscribers.by_key(await key_of(site.store, "daily", other.email)) == other

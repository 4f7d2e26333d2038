"""Pictures from the source's URL to the closed issue, over HTTPS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Response

from newsletter.core.figures import PictureCheck
from newsletter.core.listing import Entry, Listing, Page, Sighting
from newsletter.pipeline.pictures import check_pictures
from newsletter.ports import PictureReader, Store
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.pictures import WebPictures
from tests import factories
from tests.core.picture_files import MP4, png
from tests.editions.desk import Desk
from tests.picture_server import PictureServer, picture_server, served
from tests.pipeline.parts import THURSDAY, MakeDesk

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
PNG = png(1200, 600)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServer]:
    with picture_server(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.trusted))
        yield server


@pytest.fixture
async def reader() -> AsyncIterator[WebPictures]:
    http = HttpClient(HttpConfig(user_agent="newsletter tests", timeout=10, retries=4))
    yield WebPictures(lambda: http, public_only=False)
    await http.aclose()


@dataclass
class Gallery:
    """A source of papers with pictures, all listed on one day."""

    media: dict[str, tuple[str, ...]]  # by title
    name: str = "jsonl:gallery"
    dated: bool = True
    day: date = THURSDAY

    async def read(self, day: date, *, now: datetime) -> Page:
        listings = [
            Listing(title=title, abstract="We draw it.", url=f"https://example.org/{title}", media_urls=urls)
            for title, urls in (self.media.items() if day == self.day else ())
        ]
        sightings = [
            Sighting(source=self.name, listed_on=day, seen_at=now, position=position)
            for position in range(len(listings))
        ]
        return Page(
            entries=tuple(
                Entry(listing=listing, sighting=sighting)
                for listing, sighting in zip(listings, sightings, strict=True)
            )
        )


def desk_of(desk_with: MakeDesk, gallery: Gallery, reader: PictureReader | None) -> Desk:
    desk = desk_with(gallery)
    desk.pipeline = replace(desk.pipeline, pictures=reader)
    return desk


async def figures(desk: Desk, day: date = THURSDAY) -> dict[str, str]:
    """Return the paths of the figures in the issue of a day, by title; nothing for a paper without one."""
    issue = await desk.store.issues.find(desk.list_.name, day)
    assert issue is not None
    return {
        one.listing.title: one.figure.url.partition("localhost")[2].partition("/")[2] if one.figure else ""
        for one in issue.listings
    }


async def test_the_figures_of_papers_are_frozen_with_their_issue(
    server: PictureServer, reader: WebPictures, desk_with: MakeDesk
) -> None:
    server.answers = {
        "/shot": served(PNG),
        "/clip": served(MP4, "video/mp4"),
        "/small": served(png(300, 200)),
        "/second": served(PNG),
    }
    gallery = Gallery(
        {
            "One": (server.at("/shot"),),
            "Two": (server.at("/clip"), server.at("/small"), server.at("/second")),
            "Three": (server.at("/clip"), server.at("/gone")),
            "Four": ("http://localhost/shot", "https://cdn-thumbnails.huggingface.co/social-thumbnails/a.png"),
            "Five": (),
        }
    )
    desk = desk_of(desk_with, gallery, reader)
    report = await desk.run(THURSDAY)
    assert report.trouble is None
    assert await figures(desk) == {"One": "shot", "Two": "second", "Three": "", "Four": "", "Five": ""}
    assert sorted(server.asked) == ["/clip", "/gone", "/second", "/shot", "/small"]


async def test_a_picture_is_asked_for_once_over_runs_and_days(
    server: PictureServer, reader: WebPictures, desk_with: MakeDesk
) -> None:
    server.answers = {"/shot": served(PNG)}
    gallery = Gallery({"One": (server.at("/shot"),), "Two": (server.at("/gone"), server.at("/shot"))})
    desk = desk_of(desk_with, gallery, reader)
    for hour in (6, 8, 9):
        await desk.run(THURSDAY, hour=hour)
    gallery.day = THURSDAY + timedelta(days=1)
    gallery.media["Three"] = (server.at("/shot"),)
    await desk.run(gallery.day)
    assert sorted(server.asked) == ["/gone", "/shot"]
    assert await figures(desk, gallery.day) == {"Three": "shot"}


async def test_a_picture_that_leads_away_from_https_is_refused(
    server: PictureServer, reader: WebPictures, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/shot").respond_with_data(PNG, content_type="image/png")
    server.answers = {"/shot": Response(status=302, headers={"Location": httpserver.url_for("/shot")})}
    check = await reader.look(server.at("/shot"))
    assert (check.refusal, check.figure) == ("leads to an address without https", None)


async def test_what_fails_holds_no_issue_up_and_is_tried_again_in_the_next_run(
    server: PictureServer, reader: WebPictures, desk_with: MakeDesk
) -> None:
    server.answers = {"/shot": served(b"", status=503)}
    desk = desk_of(desk_with, Gallery({"One": (server.at("/shot"),)}), reader)
    with capture_logs() as logs:
        await desk.pipeline.collect(desk.list_, THURSDAY, now=NOW)
    [failed] = [one for one in logs if one["event"] == "picture_not_read"]
    assert failed["reason"].endswith("answered 503")
    [counts] = [one for one in logs if one["event"] == "pictures_checked"]
    assert (counts["figures"], counts["refused"], counts["failed"], counts["left_for_next_run"]) == (0, 0, 1, 0)
    server.answers = {"/shot": served(PNG)}
    await desk.run(THURSDAY)
    assert await figures(desk) == {"One": "shot"}
    assert server.asked == ["/shot", "/shot"]


async def test_an_issue_comes_without_figures_from_a_server_that_is_down(
    reader: WebPictures, desk_with: MakeDesk
) -> None:
    desk = desk_of(desk_with, Gallery({"One": ("https://localhost:9/shot",)}), reader)
    report = await desk.run(THURSDAY)
    assert (report.status, report.trouble) == ("sent", None)
    assert await figures(desk) == {"One": ""}


async def test_without_a_reader_of_pictures_none_is_asked_for(server: PictureServer, desk_with: MakeDesk) -> None:
    desk = desk_of(desk_with, Gallery({"One": (server.at("/shot"),)}), None)
    await desk.run(THURSDAY)
    assert await figures(desk) == {"One": ""}
    assert server.asked == []


def pictures_of(*urls: str) -> Listing:
    return Listing(title=f"With {len(urls)}", media_urls=urls)


async def test_a_server_that_fails_twice_is_left_alone_for_the_rest_of_the_run(
    server: PictureServer, reader: WebPictures, store: Store
) -> None:
    server.answers = {f"/{number}": served(b"", status=500) for number in range(30)}
    drafted = factories.draft([pictures_of(server.at(f"/{number}")) for number in range(30)])
    with capture_logs() as logs:
        await check_pictures(drafted, store.pictures, reader, now=NOW)
    assert len(server.asked) <= 2 + 3  # those that were on their way at the second failure
    [counts] = [one for one in logs if one["event"] == "pictures_checked"]
    assert counts["failed"] == len(server.asked)
    assert counts["failed"] + counts["left_for_next_run"] == 30


class Stuck(PictureReader):
    """Finds videos, waits for ever for what is `stuck`, and has a defect that shows in what is `broken`."""

    def __init__(self) -> None:
        self.looking = self.most = 0
        self.looked: list[str] = []

    async def look(self, url: str) -> PictureCheck:
        self.looked.append(url)
        self.looking += 1
        self.most = max(self.most, self.looking)
        try:
            await asyncio.sleep(0)
            if "stuck" in url:
                await asyncio.Event().wait()
            if "broken" in url:
                raise RuntimeError("a defect")
        finally:
            self.looking -= 1
        return PictureCheck(url=url, refusal="a video")


async def test_time_is_bounded_and_what_was_found_before_is_kept(store: Store) -> None:
    urls = ["https://a.example.org/1", *[f"https://b.example.org/stuck{n}" for n in range(9)]]
    reader = Stuck()
    with capture_logs() as logs:
        await check_pictures(
            factories.draft([pictures_of(url) for url in urls]), store.pictures, reader, now=NOW, time=0.2
        )
    assert list(await store.pictures.known(urls)) == urls[:1]
    assert reader.looking == 0
    assert {"pictures_take_long", "pictures_checked"} <= {one["event"] for one in logs}
    assert logs[-1]["left_for_next_run"] == 9


async def test_a_few_are_looked_at_at_once_and_a_defect_stops_none(store: Store) -> None:
    urls = [f"https://a.example.org/{'broken' if n % 3 == 0 else 'fine'}{n}" for n in range(30)]
    reader = Stuck()
    await check_pictures(factories.draft([pictures_of(url) for url in urls]), store.pictures, reader, now=NOW)
    assert reader.looked == urls
    assert reader.most == 4
    assert sorted(await store.pictures.known(urls)) == sorted(url for url in urls if "fine" in url)


async def test_two_runs_at_once_find_the_same(
    server: PictureServer, reader: WebPictures, desk_with: MakeDesk
) -> None:
    server.answers = {"/shot": served(PNG)}
    desk = desk_of(desk_with, Gallery({"One": (server.at("/shot"),)}), reader)
    await asyncio.gather(desk.run(THURSDAY), desk.run(THURSDAY))
    assert await figures(desk) == {"One": "shot"}
    assert len(desk.mails("ann")) == 1

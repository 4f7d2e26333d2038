from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from newsletter.web.conditional import accepts_gzip
from newsletter.web.finished import Finished, FinishedPages
from newsletter.web.pages.site_pages import MovedPage, SitePage, Wanted
from newsletter.web.published import Published, RecentPages

CHANGED = datetime(2026, 3, 12, 8, 30, 5, 250_000, tzinfo=UTC)
HTTP_DATE = "Thu, 12 Mar 2026 08:30:05 GMT"


@dataclass
class Group:
    """Pages from memory, which counts how often each is made."""

    pages: dict[str, SitePage | MovedPage]
    made: list[str] = field(default_factory=list)
    number: int = 1
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    slow: asyncio.Event | None = None

    async def addresses(self) -> AsyncIterator[str]:
        for address in self.pages:
            yield address

    async def version(self, address: str, wanted: Wanted) -> str | None:
        return f"{self.number}{wanted.query.get('sort')}" if address in self.pages else None

    async def page(self, address: str, wanted: Wanted) -> SitePage | MovedPage | None:
        self.made.append(address)
        self.begun.set()
        if self.slow:
            await self.slow.wait()
        return self.pages[address]


@asynccontextmanager
async def client_of(
    *groups: Group, most_bytes: int = 100_000, fresh_for: float = 0
) -> AsyncIterator[httpx2.AsyncClient]:
    published = Published(groups, FinishedPages(most_bytes=most_bytes), fresh_for=fresh_for)
    app = Starlette(routes=[published.route], middleware=[Middleware(RecentPages, published=published)])
    app.router.redirect_slashes = False
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        yield client


def page(text: str = "A page", changed_at: datetime | None = None) -> SitePage:
    return SitePage(content=text.encode(), changed_at=changed_at)


async def test_a_page_is_made_once_for_each_version() -> None:
    group = Group({"daily/": page()})
    async with client_of(group) as client:
        for path in ("/daily/", "/daily/", "/daily/?unknown=1"):
            assert (await client.get(path)).text == "A page"
        assert len(group.made) == 1
        await client.get("/daily/?sort=new")
        group.number = 2
        await client.get("/daily/")
        assert len(group.made) == 3


async def test_what_somebody_has_just_asked_for_is_not_looked_up_again_for_a_moment() -> None:
    group = Group({"daily/": page("first"), "other/": page()})
    async with client_of(group, fresh_for=60) as client:
        tag = (await client.get("/daily/")).headers["etag"]
        group.number, group.pages["daily/"] = 2, page("second")
        again = await client.get("/daily/")
        assert (again.text, again.headers["etag"]) == ("first", tag)
        assert (await client.get("/daily/", headers={"If-None-Match": tag})).status_code == 304
        assert (await client.head("/daily/")).headers["etag"] == tag
        assert (await client.post("/daily/")).status_code == 405
        assert (await client.get("/daily/?sort=new")).text == "second"
        assert (await client.get("/daily/", headers={"Accept-Language": "de"})).text == "second"


async def test_after_that_it_is_looked_up_once_and_nobody_waits_for_it() -> None:
    group = Group({"daily/": page("first")})
    async with client_of(group, fresh_for=0.5) as client:

        async def becomes(text: str) -> bool:
            for _ in range(500):
                if text in (await client.get("/daily/")).text:
                    return True
                await asyncio.sleep(0.01)
            return False

        assert (await client.get("/daily/")).text == "first"
        group.number, group.pages["daily/"], group.slow = 2, page("second"), asyncio.Event()
        await asyncio.sleep(0.55)
        for _ in range(5):
            assert (await client.get("/daily/")).text == "first"
            await asyncio.sleep(0)
        assert group.made == ["daily/", "daily/"]
        group.slow.set()
        assert await becomes("second")
        del group.pages["daily/"]
        assert await becomes("Not Found")


async def test_those_who_ask_at_once_wait_for_one_page_and_one_of_them_may_go() -> None:
    group = Group({"daily/": page()}, slow=asyncio.Event())
    async with client_of(group) as client:
        asking = [asyncio.create_task(client.get("/daily/")) for _ in range(5)]
        await group.begun.wait()
        asking[0].cancel()
        assert group.slow
        group.slow.set()
        assert {(await one).text for one in asking[1:]} == {"A page"}
    assert group.made == ["daily/"]


async def test_pages_asked_for_longest_ago_make_room() -> None:
    group = Group({address: page("x" * 20_000) for address in "abcdefg"})
    async with client_of(group, most_bytes=80_000) as client:
        for address in "abcdefg":
            assert (await client.get(f"/{address}")).status_code == 200
        await client.get("/g")
        assert group.made == list("abcdefg")
        await client.get("/a")
        assert group.made == list("abcdefga")


async def test_a_page_that_the_client_has_is_not_sent_again() -> None:
    async with client_of(Group({"daily/": page(changed_at=CHANGED), "bare/": page()})) as client:
        first = await client.get("/daily/")
        assert first.headers["last-modified"] == HTTP_DATE
        assert first.headers["cache-control"] == "public, max-age=60"
        tag = first.headers["etag"]

        async def status(path: str = "/daily/", **headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await client.get(path, headers=named)
            assert (answer.content == b"") is (answer.status_code == 304)
            return answer.status_code

        assert await status(If_None_Match=tag) == 304
        assert await status(If_None_Match=f'"other", {tag}') == 304
        assert await status(If_None_Match="*") == 304
        assert await status(If_None_Match='"other"') == 200
        assert await status(If_None_Match='"other"', If_Modified_Since=HTTP_DATE) == 200
        assert await status(If_Modified_Since=HTTP_DATE) == 304
        assert await status(If_Modified_Since="Thu, 12 Mar 2026 08:30:04 GMT") == 200
        assert await status(If_Modified_Since="12 Mar 2026 08:30:05") == 200
        assert await status(If_Modified_Since="yesterday") == 200
        assert await status("/bare/", If_Modified_Since=HTTP_DATE) == 200


async def test_texts_are_compressed_for_clients_that_take_it() -> None:
    text = "Sparse teachers. " * 500
    picture = SitePage(content=b"x" * 5000, media_type="image/png")
    async with client_of(Group({"long/": page(text), "short/": page(), "a.png": picture})) as client:

        async def encoding(path: str, accepted: str) -> str:
            answer = await client.get(path, headers={"Accept-Encoding": accepted})
            assert "Accept-Encoding" in answer.headers["vary"]
            return answer.headers.get("content-encoding", "")

        assert (await client.get("/long/", headers={"Accept-Encoding": "gzip"})).text == text
        assert await encoding("/long/", "br, gzip") == "gzip"
        assert await encoding("/long/", "gzip;q=0") == ""
        assert await encoding("/long/", "") == ""
        assert await encoding("/short/", "gzip") == ""
        assert await encoding("/a.png", "gzip") == ""


async def test_a_former_address_leads_on_relatively_with_its_query() -> None:
    group = Group({"daily/2026-03-12/": page(), "p/old/": MovedPage(address="p/new/"), "a:b/": page()})
    async with client_of(group) as client:
        answer = await client.get("/daily/2026-03-12?sort=new")
        assert (answer.status_code, answer.headers["location"]) == (301, "./2026-03-12/?sort=new")
        assert (await client.get("/p/old/")).headers["location"] == "../../p/new/"
        assert (await client.get("/p/old")).headers["location"] == "./old/"
        assert (await client.get("/a:b")).headers["location"] == "./a%3Ab/"
        answer = await client.get("//evil.example/%2e%2e")
        assert answer.status_code == 404


async def test_what_no_group_has_is_not_found_and_only_asked_for() -> None:
    async with client_of(Group({"one/": page("1")}), Group({"two/": page("2"), "": page("front")})) as client:
        assert (await client.get("/two/")).text == "2"
        assert (await client.get("/")).text == "front"
        assert (await client.head("/two/")).content == b""
        assert (await client.post("/two/")).status_code == 405
        for path in ("/three/", "/three", "/two/" + "x" * 2000):
            assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [("gzip", True), ("GZIP ; q=0.5", True), ("*", True), ("gzip; q=0.0", False), ("gzipped", False), ("", False)],
)
def test_what_a_client_accepts_is_read_from_its_header(accepted: str, takes: bool) -> None:
    assert accepts_gzip(accepted) is takes


async def test_an_answer_to_a_query_is_not_kept() -> None:
    group = Group({"daily/": SitePage(content=b"Found", is_kept=False)})
    async with client_of(group) as client:
        for _ in range(2):
            assert (await client.get("/daily/")).text == "Found"
    assert group.made == ["daily/", "daily/"]


async def test_a_page_larger_than_all_room_is_sent_but_not_kept() -> None:
    finished = FinishedPages(most_bytes=10)
    made: list[int] = []

    async def make() -> Finished:
        made.append(1)
        return Finished(content=b"x" * 100, compressed=b"", media_type="text/html", tag="1", changed_at=None)

    assert await finished.page("a", "1", make) == await finished.page("a", "1", make)
    assert len(made) == 2

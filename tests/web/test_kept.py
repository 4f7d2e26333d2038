"""Web versions are rendered once and kept: the same bytes for everybody, over restarts and among processes."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from newsletter.core.errors import RenderError
from newsletter.core.issue import Issue
from newsletter.core.tokens import Links
from newsletter.ports import IssueOutline, Issues
from newsletter.ports.page_files import PageFiles
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue.fingerprint import Fingerprint
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.web.app import PublicSite, public_app
from newsletter.web.pages import issues as issue_pages
from newsletter.web.pages.kept import KeptPages
from newsletter.web.server import serving
from tests.web.site import LINKS, NOW, READER, Site
from tests.web.studio import TEMPLATES

PAGE = "/daily/2026-03-12"
A_DAY = 86_400


@dataclass
class Counting(PageRenderer):
    """Renders as the real renderer does, and counts how often; may be slow, or another version."""

    version: str = "1"
    renderer: TemplateRenderer = field(default_factory=lambda: TemplateRenderer(None, TEMPLATES))
    count: int = 0
    trouble: Exception | None = None

    @property
    def files(self) -> PageFiles:  # type: ignore[override]
        return self.renderer.files

    def page(self, name: str, context: Mapping[str, Any]) -> str:
        return self.renderer.page(name, context)

    def fingerprint(self, *, now: bool = False) -> str:
        return self.version + self.renderer.fingerprint(now=now)

    def issue_page(self, issue: Issue, *, web_url: str, signup_url: str = "") -> str:
        self.count += 1
        if self.trouble:
            raise self.trouble
        return self.renderer.issue_page(issue, web_url=web_url, signup_url=signup_url) + f"<!-- {self.version} -->"


def app_of(
    site: Site,
    pages: Counting,
    folder: Path,
    *,
    issues: Issues | None = None,
    links: Links = LINKS,
) -> Starlette:
    """Return an app of the issues' pages alone, as a process has it that keeps pages in a folder."""
    return Starlette(
        routes=issue_pages.routes(
            issues or site.store.issues, site.admission.signing_up, links, pages, KeptPages(folder)
        ),
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


async def answer(app: Starlette) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(PAGE)


async def content(app: Starlette) -> bytes:
    answered = await answer(app)
    assert answered.status_code == 200
    return answered.content


async def test_a_page_is_rendered_once_however_many_ask_at_once_and_over_restarts(
    site: Site, tmp_path: Path
) -> None:
    pages = Counting()
    app = app_of(site, pages, tmp_path / "var" / "pages")
    asked = await asyncio.gather(*(content(app) for _ in range(20)))
    again = await content(app_of(site, pages, tmp_path / "var" / "pages"))
    assert len({*asked, again}) == 1
    assert pages.count == 1
    assert b"Sparse teachers" in again


async def test_who_leaves_while_a_page_is_being_made_does_not_take_it_from_the_others(
    site: Site, tmp_path: Path
) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    class Slow(Counting):
        def issue_page(self, issue: Issue, *, web_url: str, signup_url: str = "") -> str:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(10)
            return super().issue_page(issue, web_url=web_url, signup_url=signup_url)

    pages = Slow()
    app = app_of(site, pages, tmp_path)
    first = asyncio.create_task(content(app))
    await begun.wait()
    second = asyncio.create_task(content(app))
    await asyncio.sleep(0.05)
    first.cancel()
    await asyncio.wait([first])
    go_on.set()
    assert b"Sparse teachers" in await second
    assert pages.count == 1


@pytest.mark.parametrize("what", ["program", "template", "new template", "address", "issue"])
async def test_what_a_page_depends_on_makes_another_page(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    own = tmp_path / "templates"
    (own / "web").mkdir(parents=True)
    pages = Counting(renderer=TemplateRenderer(own, TEMPLATES))
    app = app_of(site, pages, tmp_path / "pages")
    before = (await answer(app)).headers["ETag"]
    monkeypatch.setattr("newsletter.render.issue.fingerprint._LOOK_AGAIN", 0.0)
    if what == "program":
        pages.version = "2"
    elif what == "template":
        copytree(TEMPLATES / "web", own / "web", dirs_exist_ok=True)
        (own / "web" / "issue.html").write_text("{{ issue.number }} as I like it")
    elif what == "new template":
        (own / "web" / "part.html").write_text("not used yet")
    elif what == "address":
        elsewhere = Links("https://other.example.org", LINKS.secret_key)
        app = app_of(site, pages, tmp_path / "pages", links=elsewhere)
    else:
        app = app_of(site, pages, tmp_path / "pages", issues=Restored(site))  # type: ignore[arg-type]
    after = await answer(app)
    assert after.headers["ETag"] != before
    text = after.text
    assert pages.count == 2
    assert (text == "1 as I like it<!-- 1 -->") is (what == "template")


@dataclass
class Restored:
    """The issues of a ledger that was restored, and froze this day's issue anew."""

    site: Site

    async def outline(self, list_name: str, day: date | None = None) -> IssueOutline | None:
        found = await self.site.store.issues.outline(list_name, day)
        assert found is not None
        return replace(found, key=found.key + 1, frozen_at=NOW)

    async def find(self, list_name: str, day: date) -> Issue | None:
        return await self.site.store.issues.find(list_name, day)


async def test_a_page_made_while_a_template_changed_is_not_kept(site: Site, tmp_path: Path) -> None:
    class Changing(Counting):
        def issue_page(self, issue: Issue, *, web_url: str, signup_url: str = "") -> str:
            page = super().issue_page(issue, web_url=web_url, signup_url=signup_url)
            self.version = "2"
            return page

    pages = Changing()
    assert b"<!-- 1 -->" in await content(app_of(site, pages, tmp_path / "pages"))
    assert names(tmp_path / "pages") == []
    assert b"<!-- 2 -->" in await content(app_of(site, pages, tmp_path / "pages"))
    assert b"<!-- 2 -->" in await content(app_of(site, pages, tmp_path / "pages"))
    assert pages.count == 2


async def test_a_page_that_cannot_be_kept_is_shown_all_the_same(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    pages = Counting()
    with capture_logs() as logs:
        for _ in range(2):
            assert b"Sparse teachers" in await content(app_of(site, pages, tmp_path / "file" / "pages"))
    assert pages.count == 2
    assert [line["event"] for line in logs] == ["page_not_kept"] * 2


async def test_a_page_that_fails_is_tried_again(site: Site, tmp_path: Path) -> None:
    pages = Counting(trouble=RenderError("web/issue.html:3: no such value"))
    app = app_of(site, pages, tmp_path / "pages")
    with pytest.raises(RenderError):
        await content(app)
    pages.trouble = None
    assert b"Sparse teachers" in await content(app)


async def test_an_empty_file_is_no_page(site: Site, tmp_path: Path) -> None:
    pages = Counting()
    app = app_of(site, pages, tmp_path / "pages")
    page = await content(app)
    [name] = names(tmp_path / "pages")
    (tmp_path / "pages" / name).write_bytes(b"")
    assert await content(app) == page
    assert (tmp_path / "pages" / name).read_bytes() == page


def test_many_writers_of_one_page_leave_it_whole(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for done in [
            threads.submit(KeptPages(tmp_path).write, "a-1", bytes([65 + n]) * 300_000) for n in range(16)
        ]:
            done.result()
    page = KeptPages(tmp_path).read("a-1")
    assert page is not None
    assert (len(page), len(set(page))) == (300_000, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a-1.html"]


def test_superseded_pages_and_leftovers_of_killed_writers_go_after_a_day(tmp_path: Path) -> None:
    kept = KeptPages(tmp_path)
    for name, age in {
        "a-1.html": 2,
        "a-2.html": 0.5,
        "b-1.html": 2,
        ".a-3.12ab34cd": 2,
        ".a-4.12ab34cd": 0,
    }.items():
        (tmp_path / name).write_text("x")
        then = (tmp_path / name).stat().st_mtime - age * A_DAY
        os.utime(tmp_path / name, (then, then))
    kept.write("a-5", b"new")
    assert {path.name for path in tmp_path.iterdir()} == {"a-2.html", "b-1.html", ".a-4.12ab34cd", "a-5.html"}


def test_pages_take_so_much_room_and_no_more(tmp_path: Path) -> None:
    kept = KeptPages(tmp_path, most_bytes=1000)
    for number in range(12):
        kept.write(f"{number}-1", b"x" * 300)
        then = 1_700_000_000 + number
        os.utime(tmp_path / f"{number}-1.html", (then, then))
    assert {path.name for path in tmp_path.iterdir()} == {"9-1.html", "10-1.html", "11-1.html"}


def test_templates_are_looked_at_again_only_after_a_while_or_when_asked(tmp_path: Path) -> None:
    made_by = Fingerprint([tmp_path])
    before = made_by.value()
    (tmp_path / "a.html").write_text("x")
    assert made_by.value() == before
    changed = made_by.value(now=True)
    assert changed != before
    (tmp_path / "a.html").unlink()
    assert made_by.value(now=True) == before == Fingerprint([tmp_path]).value()


async def test_who_has_a_page_already_is_told_so_and_sent_nothing(site: Site) -> None:
    first = await site.client.get(PAGE)
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await site.client.get(PAGE, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "max-age" in again.headers["cache-control"]
    for sent in ('"other"', tag.strip('"'), ""):
        assert (await site.client.get(PAGE, headers={"If-None-Match": sent})).content == first.content
    missing = await site.client.get("/daily/2026-03-13", headers={"If-None-Match": "*"})
    assert missing.status_code == 404


async def test_a_head_request_tells_the_length_and_sends_no_page(site: Site) -> None:
    page = await site.client.get(PAGE)
    head = await site.client.head(PAGE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(page.content))
    assert head.headers["etag"] == page.headers["etag"]


async def test_pages_of_single_readers_are_kept_nowhere(site: Site, tmp_path: Path) -> None:
    await site.client.get(PAGE)
    shown = await site.client.get(site.path)
    assert READER.email.replace("'", "&#39;") in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert "etag" not in shown.headers
    [name] = names(tmp_path / "pages")
    assert "unsubscribe/" not in (tmp_path / "pages" / name).read_text()


async def test_a_slow_page_does_not_hold_up_the_others(site: Site, tmp_path: Path) -> None:
    class Slow(Counting):
        def issue_page(self, issue: Issue, *, web_url: str, signup_url: str = "") -> str:
            time.sleep(1)
            return super().issue_page(issue, web_url=web_url, signup_url=signup_url)

    app = public_app(
        PublicSite(
            store=site.store,
            lists=site.lists,
            admission=site.admission,
            wake=site.wake,
            links=LINKS,
            renderer=Slow(),
            clock=lambda: NOW,
            kept=KeptPages(tmp_path),
            healthy=site.healthy,
        )
    )
    async with (
        serving(app, "127.0.0.1", 0) as url,
        httpx2.AsyncClient(trust_env=False, timeout=30, base_url=url) as client,
    ):
        slow = asyncio.create_task(client.get(PAGE))
        await asyncio.sleep(0.1)
        assert (await client.get("/healthz")).status_code == 200
        assert not slow.done()
        assert (await slow).status_code == 200

"""What strangers try, on every page: each try is refused with one line in the log, and changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import httpx2
import pytest
from starlette.routing import Route
from structlog.testing import capture_logs

from newsletter.core.delivery import Planned
from newsletter.core.diff import select
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import Masthead, NewsletterList, SignUpRule
from newsletter.core.page_names import API
from newsletter.core.subscriber import Subscriber
from newsletter.core.topics import Topic
from tests.store.samples import join, key_of
from tests.web.operator import operator_site
from tests.web.signup_desk import SIGN_UP, Desk, link, open_desk
from tests.web.site import DAY, LINKS, NOW

SITE = "papers.example.org"
MOST_PAGES = 150
PROBE = "xss-probe"
MARKUP = f'"\'></title></script><{PROBE} onmouseover="x()"></{PROBE}><img src=x onerror=x()>'
URL = f"https://evil.example/\"'><{PROBE}>"
HOSTILE_DAY = DAY + timedelta(days=1)

HOSTILE = [
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cpyproject.toml",
    "....//....//etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "%c0%ae%c0%ae%c0%afetc",
    "%00",
    "page.css%00.html",
    "%0d%0aSet-Cookie:%20stolen=1%0d%0a%0d%0a",
    "%e2%80%ae%e2%81%a6%ff",
    quote(MARKUP, safe=""),
    "'%20OR%201=1--",
    "{{7*7}}%7B%25%20raw%20%25%7D",
    "1e999",
    "-1",
    "9" * 400,
    "x" * 4000,
]
METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Serve a site whose papers, topics and readers are all an attack."""
    async with open_desk(tmp_path, per_client=1_000_000) as desk:
        listing = Listing(
            title=f"Papers {MARKUP}",
            abstract=f"We show that {MARKUP} {{{{7*7}}}}. $\\href{{javascript:x()}}{{y}}$" * 3,
            summary=MARKUP,
            ai_summary=MARKUP,
            authors=(MARKUP, "Ada Lovelace"),
            organization=MARKUP,
            categories=(MARKUP,),
            keywords=(MARKUP,),
            doi=f"10.1/{MARKUP}",
            url=URL,
            pdf_url=URL,
            code_url=URL,
            project_url=URL,
            thumbnail_url=URL,
            media_urls=(URL,),
            submitted_by=MARKUP,
            discussion_url=URL,
        )
        seen = Sighting(source="huggingface", listed_on=HOSTILE_DAY, seen_at=NOW, upvotes=7, comments=2, stars=3)
        await desk.store.library.record(
            "huggingface", HOSTILE_DAY, [Entry(listing=listing, sighting=seen)], now=NOW
        )
        masthead = Masthead(
            list="daily", title=f"Daily {MARKUP}", sender="Daily <papers@example.org>", intro=MARKUP
        )
        list_ = NewsletterList(
            masthead=masthead,
            sources=("huggingface",),
            signup=SignUpRule.OPEN,
            topics={"agents": Topic(name="agents", keywords=(MARKUP,))},
        )
        candidates = await desk.store.library.candidates(["huggingface"], since=HOSTILE_DAY, until=HOSTILE_DAY)
        draft = select(candidates, list_, HOSTILE_DAY, number=2)
        await desk.store.issues.freeze(draft, MARKUP, lambda _, _had: Planned(due_at=NOW), now=NOW)
        await join(desk.store, Subscriber(list="daily", email="eve@example.org", name=MARKUP), now=NOW)
        yield desk


def ledger(desk: Desk) -> str:
    """Return all that is kept."""
    return kept_in(desk.lists.parent)


def kept_in(folder: Path) -> str:
    """Return what the ledger holds, but for how often somebody tried: that is counted of strangers, too."""
    with closing(sqlite3.connect(folder / "newsletter.db")) as connection:
        return "\n".join(row for row in connection.iterdump() if not row.startswith('INSERT INTO "shared_counts"'))


def paths_of(route: Route, value: str) -> Iterator[str]:
    """Yield paths to a route with a value in the place of each of its parameters, and of all."""
    names = re.findall(r"{(\w+)(?::\w+)?}", route.path)
    usual = {"list": "daily", "day": str(DAY)}
    for hostile in [*names[:-1], "all"] if len(names) > 1 else names:
        path = route.path_format
        for name in names:
            path = path.replace(f"{{{name}}}", value if hostile in {name, "all"} else usual.get(name, "1"))
        yield path


def all_paths(desk: Desk, value: str) -> list[str]:
    return [path for route in desk.app.routes if isinstance(route, Route) for path in paths_of(route, value)]


async def ask(desk: Desk, method: str, path: str, **options: object) -> httpx2.Response:
    """Send a request as it stands; it has to lead to one line in the log, and none of a defect."""
    with capture_logs() as logs:
        url = httpx2.URL(f"http://{SITE}").copy_with(raw_path=path.encode())
        answer = await desk.client.request(method, url, **options)  # type: ignore[arg-type]
    assert [line["event"] for line in logs if line["log_level"] in {"error", "warning"}] == []
    assert [line["event"] for line in logs].count("answered") == 1
    assert "\n" not in str(logs[-1])
    assert "set-cookie" not in answer.headers
    assert "Traceback" not in answer.text
    return answer


async def test_what_strangers_write_into_a_path_is_refused_everywhere(desk: Desk) -> None:
    before = ledger(desk)
    for path in (path for value in HOSTILE for path in all_paths(desk, value)):
        for method in ("GET", "POST"):
            answer = await ask(desk, method, path)
            assert 400 <= answer.status_code < 500, (method, path)
            assert "root:" not in answer.text
            assert read(answer).wrong == [], path
    assert ledger(desk) == before


async def test_wrong_methods_are_refused_everywhere_and_the_right_ones_are_named(desk: Desk) -> None:
    routes = [route for route in desk.app.routes if isinstance(route, Route)]
    taken: dict[str, set[str]] = {}
    for route in routes:
        taken.setdefault(route.path, set()).update(route.methods or {"GET", "HEAD"})
    before = ledger(desk)
    for route in routes:
        for path in list(paths_of(route, "daily"))[:1]:
            for method in METHODS:
                if method in taken[route.path] or (method == "OPTIONS" and path.startswith(f"/{API}/")):
                    continue  # scripts of other sites ask first whether they may ask (CORS)
                answer = await ask(desk, method, path)
                assert 400 <= answer.status_code < 500, (method, path)
                if answer.status_code == 405:
                    assert set(answer.headers["allow"].split(", ")) >= taken[route.path], (method, path)
    assert ledger(desk) == before


_NEVER = {PROBE, "style", "iframe", "object", "embed", "base"}


class Reader(HTMLParser):
    """Notes what a browser would run, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.links: list[tuple[str, str]] = []  # address, rel
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.wrong += [f"{tag} {name}" for name in values if name.startswith("on") or name == "style"]
        if tag in {PROBE, "style", "iframe", "object", "embed", "base"} or (
            tag == "script" and "src" not in values
        ):
            self.wrong.append(tag)
        for name in ("href", "src", "action"):
            scheme = urlsplit(values.get(name, "").strip()).scheme
            if scheme not in {"", "http", "https", "mailto"} and not (tag == "link" and values[name] == "data:,"):
                self.wrong.append(f"{tag} {name}={values[name]}")
        if tag == "a":
            self.links.append((values.get("href", ""), values.get("rel", "")))
        self._is_script = tag == "script" and values.get("type") != "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.wrong.append(f"script: {data[:100]}")

    def inner(self, path: str) -> list[str]:
        """Return where links lead within the site, from a path."""
        found = [urlsplit(urljoin(f"http://{SITE}{path}", href)) for href, _ in self.links]
        return [to._replace(scheme="", netloc="", fragment="").geturl() for to in found if to.netloc == SITE]


def read(answer: httpx2.Response) -> Reader:
    reader = Reader()
    if answer.headers.get("content-type", "").startswith("text/html"):
        reader.feed(answer.text)
    return reader


async def test_no_page_runs_what_a_source_or_a_query_says_and_links_lead_out_without_a_trace(desk: Desk) -> None:
    key = await key_of(desk.store, "daily", "eve@example.org")
    await desk.ask("mallory@example.org", name=MARKUP)
    [mail] = await desk.sent()
    issue = await desk.store.issues.find("daily", HOSTILE_DAY)
    assert issue is not None
    paper = issue.listings[0].key
    queue = [
        "/",
        f"/{DAY}",
        SIGN_UP,
        link(mail),
        *(
            url.removeprefix(LINKS.public_url)
            for url in (
                LINKS.unsubscribe(key),
                LINKS.preferences(key),
                f"{LINKS.preferences(key)}/weekly",
                LINKS.feedback(key, paper, like=True),
                LINKS.cite("daily", HOSTILE_DAY, paper),
                LINKS.issue("daily", HOSTILE_DAY),
            )
        ),
    ]
    before, seen, query = ledger(desk), set[str](), quote(MARKUP, safe="")
    while queue and len(seen) < MOST_PAGES:
        path = queue.pop(0)
        if path not in seen:
            seen.add(path)
            hostile = "&".join(f"{name}={query}" for name in ("q", "sort", "page", "topic"))
            await page(desk, f"{path}{'&' if '?' in path else '?'}{hostile}")
            queue += (await page(desk, path)).inner(path)
    assert len(seen) > 10
    assert ledger(desk) == before


async def page(desk: Desk, path: str) -> Reader:
    """Read a page that may hold what a source or a visitor wrote; it has to be harmless."""
    answer = await ask(desk, "GET", path, headers={"Accept-Language": MARKUP.encode()})
    reader = read(answer)
    assert reader.wrong == [], path
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"
    for href, rel in reader.links:
        if urlsplit(href).hostname not in {None, SITE}:
            assert {"noopener", "nofollow"} <= set(rel.split()), (path, href)
    return reader


async def test_the_operators_pages_do_nothing_for_strangers_nor_for_forms_of_other_sites(tmp_path: Path) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    fields = {"list": "daily", "key": "1", "day": str(DAY), "email": "eve@example.org", "token": MARKUP}
    async with operator_site(tmp_path) as operator:
        before = kept_in(tmp_path)
        for is_signed_in in (False, True):
            if is_signed_in:
                await operator.sign_in()
            for path in (re.sub(r"{[^}]+}", "1", path) for path in sorted(operator.paths)):
                answer = await operator.client.post(path, data=fields, headers=foreign)
                assert answer.status_code == 403, path
                if not is_signed_in:
                    answer = await operator.client.post(path, data=fields)
                    assert answer.status_code in {303, 401, 403, 404, 405}, path
                    answer = await operator.client.get(path)
                    assert "huggingface" not in answer.text, path
                    assert "reader1@" not in answer.text, path
                rebound = await operator.client.get(path, headers={"Host": "evil.example"})
                assert rebound.status_code == 421
                assert read(await operator.client.get(path, params={"list": MARKUP, "q": MARKUP})).wrong == []
            assert kept_in(tmp_path) == before
        assert operator.collected == []
    assert len(operator.paths) > 5

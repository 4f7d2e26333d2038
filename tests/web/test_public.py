from __future__ import annotations

from pathlib import Path

import pytest
from starlette.routing import Route
from structlog.testing import capture_logs

from newsletter.core.errors import StoreError
from newsletter.core.page_names import RESERVED
from newsletter.web.app import PublicSite, public_app
from tests.web.site import LINKS, NOW, READER, Site
from tests.web.studio import RENDERER


async def test_the_root_is_a_small_page(site: Site) -> None:
    answer = await site.client.get("/")
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_page_about_no_list_is_in_the_language_that_the_browser_asks_for(site: Site) -> None:
    asked = {"Accept-Language": "it, de-AT;q=0.9, en;q=0.5"}
    home, nothing = [await site.client.get(path, headers=asked) for path in ("/", "/other/2026-03-12")]
    assert "Accept-Language" in home.headers["vary"]
    assert 'lang="de"' in home.text
    assert "Forschungsartikel per Mail" in home.text
    assert "Hier ist nichts" in nothing.text


async def test_the_web_version_of_an_issue_may_be_kept_and_found(site: Site) -> None:
    answer = await site.client.get("/daily/2026-03-12/")
    assert answer.status_code == 200
    assert "Sparse teachers" in answer.text
    assert READER.email not in answer.text
    assert "max-age" in answer.headers["cache-control"]
    assert answer.headers["x-robots-tag"] == "all"


@pytest.mark.parametrize("path", ["/daily", "/daily/2026-03-12"])
async def test_former_addresses_lead_to_those_with_a_slash(site: Site, path: str) -> None:
    answer = await site.client.get(path)
    assert answer.status_code == 301
    assert answer.next_request
    assert answer.next_request.url.path == f"{path}/"
    assert "Sparse teachers" in (await site.client.get(path, follow_redirects=True)).text


@pytest.mark.parametrize(
    "path",
    [
        "/daily/2026-03-13",
        "/other/2026-03-12",
        "/daily/20260312",  # a date too, but of no issue's address
        "/daily/yesterday",
        "/other",
        "/unsubscribe",
        "/daily/2026-03-12/1/",
        "/../etc/passwd",
        "/%00/%ff",
        "/unsubscribe/",
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(site: Site, path: str) -> None:
    answer = await site.client.get(path)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


async def test_every_answer_carries_the_security_headers(site: Site) -> None:
    site.trouble = StoreError("the disk is full")
    for path in ("/", "/healthz", "/daily/2026-03-12/", "/nothing/here", site.path):
        headers = (await site.client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


async def test_a_healthy_store_is_ok(site: Site) -> None:
    with capture_logs() as logs:
        answer = await site.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert [line["log_level"] for line in logs] == ["debug"], "it is asked for all day"


async def test_an_unhealthy_store_is_told_without_details_which_are_logged(site: Site) -> None:
    site.trouble = StoreError("/var/lib/newsletter.db: disk I/O error")
    with capture_logs() as logs:
        answer = await site.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})
    assert [line["event"] for line in logs] == ["unhealthy", "answered"]


async def test_a_defect_is_a_plain_page_outside_and_an_error_in_the_log(site: Site) -> None:
    site.trouble = RuntimeError("a defect with a secret in it")
    with capture_logs() as logs:
        answer = await site.client.get("/daily/2026-03-12/")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Traceback" not in answer.text
    assert "defect" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("page_failed", "error"),
        ("answered", "info"),
    ]
    assert logs[0]["exc_info"]


async def test_a_ledger_that_fails_is_no_defect_and_who_asked_may_try_again(site: Site) -> None:
    site.trouble = StoreError("/var/lib/newsletter.db: database is locked")
    with capture_logs() as logs:
        answer = await site.client.get("/daily/2026-03-12/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "newsletter.db" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("ledger_failed", "warning"),
        ("answered", "info"),
    ]


async def test_lists_may_not_have_the_names_of_pages_that_stand_beside_them(site: Site, tmp_path: Path) -> None:
    app = public_app(
        PublicSite(
            store=site.store,
            lists=site.lists,
            source_names=lambda list_: list_.sources,
            admission=site.admission,
            wake=site.wake,
            links=LINKS,
            renderer=RENDERER,
            clock=lambda: NOW,
            healthy=site.healthy,
        )
    )
    paths = [route.path for route in app.routes if isinstance(route, Route)]
    assert {path.split("/")[1] for path in paths} - {"{address:path}"} <= RESERVED

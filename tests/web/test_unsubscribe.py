from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from newsletter.core.tokens import TEST_COPY, Links
from tests.claiming import claim
from tests.store.samples import join, key_of
from tests.web.site import LINKS, NOW, READER, Site, unsubscribe_path

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FORGED = Links(LINKS.public_url, "another secret").unsubscribe(1).removeprefix(LINKS.public_url)
NOBODY = unsubscribe_path(4711)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_following_the_link_shows_a_page_and_changes_nothing(site: Site, method: str) -> None:
    answer = await site.client.request(method, site.path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not await site.has_left()
    if method == "GET":
        assert '<form method="post">' in answer.text
        assert "Papers &amp; &lt;More&gt;" in answer.text
        assert "o&#39;reader@example.org" in answer.text


async def test_one_click_takes_the_reader_off_without_cookie_or_redirect(site: Site) -> None:
    answer = await site.client.post(site.path, data=ONE_CLICK)
    assert (answer.status_code, answer.text) == (200, "Unsubscribed.\n")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "set-cookie" not in answer.headers
    assert await site.has_left()


async def test_one_click_may_come_as_multipart_form_data(site: Site) -> None:
    answer = await site.client.post(site.path, files={"List-Unsubscribe": (None, "One-Click")})
    assert answer.text == "Unsubscribed.\n"
    assert await site.has_left()


async def test_one_click_again_is_fine_and_says_so(site: Site) -> None:
    await site.client.post(site.path, data=ONE_CLICK)
    answer = await site.client.post(site.path, data=ONE_CLICK)
    assert (answer.status_code, answer.text) == (200, "Already unsubscribed.\n")


async def test_the_pages_button_takes_the_reader_off_and_shows_a_page_also_again(site: Site) -> None:
    for words in ("You are unsubscribed", "You have left already"):
        answer = await site.client.post(site.path)
        assert answer.status_code == 200
        assert f"<h1>{words}</h1>" in answer.text
        assert await site.has_left()


async def test_who_left_is_on_no_list_of_those_who_get_the_next_issue(site: Site) -> None:
    await site.client.post(site.path, data=ONE_CLICK)
    async with site.store.outbox.worker() as worker:
        assert await claim(site.store.outbox, worker, now=NOW, limit=10) == []


async def test_a_list_that_has_mailed_nothing_yet_goes_by_its_name(site: Site) -> None:
    await join(site.store, replace(READER, list="weekly"), now=NOW)
    key = await key_of(site.store, "weekly", READER.email)
    assert "Unsubscribe from weekly?" in (await site.client.get(unsubscribe_path(key))).text


@pytest.mark.parametrize("data", [None, ONE_CLICK])
async def test_a_forged_token_is_not_found_and_takes_nobody_off(site: Site, data: dict[str, str] | None) -> None:
    for answer in (await site.client.get(FORGED), await site.client.post(FORGED, data=data)):
        assert answer.status_code == 404
        assert "This link does not work" in answer.text
    assert not await site.has_left()


async def test_a_token_of_somebody_who_is_erased_says_gone(site: Site) -> None:
    answers = [
        await site.client.get(NOBODY),
        await site.client.post(NOBODY),
        await site.client.post(NOBODY, data=ONE_CLICK),
    ]
    assert [answer.status_code for answer in answers] == [410, 410, 410]
    assert "This link does not work" in answers[0].text
    assert answers[2].headers["content-type"].startswith("text/plain")
    assert not await site.has_left()


async def test_links_of_test_copies_say_so_and_change_nothing(site: Site) -> None:
    path = unsubscribe_path(TEST_COPY)
    for answer in (await site.client.get(path), await site.client.post(path)):
        assert answer.status_code == 200
        assert "<h1>This is a test copy</h1>" in answer.text
        assert "nothing was changed" in answer.text
    one_click = await site.client.post(path, data=ONE_CLICK)
    assert (one_click.status_code, one_click.text) == (200, "This is a test copy. Nothing was changed.\n")
    assert not await site.has_left()


async def test_a_body_beyond_all_reason_is_refused(site: Site) -> None:
    answer = await site.client.post(site.path, content=b"x" * 100_000)
    assert answer.status_code == 413
    assert not await site.has_left()


async def test_a_slash_behind_the_token_makes_no_redirect(site: Site) -> None:
    answer = await site.client.post(f"{site.path}/", data=ONE_CLICK)
    assert answer.status_code == 404


async def test_other_methods_are_not_allowed(site: Site) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await site.client.request(method, site.path)).status_code == 405
    assert not await site.has_left()


@given(st.text(min_size=1))
def test_no_text_passes_for_a_token(text: str) -> None:
    assert LINKS.read_unsubscribe(text) is None


async def test_pages_with_a_token_are_neither_kept_nor_indexed_nor_told_to_anybody(site: Site) -> None:
    for answer in (
        await site.client.get(site.path),
        await site.client.post(site.path),
        await site.client.get(FORGED),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_tokens_and_addresses_never_reach_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    path = site.path
    token = path.rpartition("/")[2]
    caplog.set_level("DEBUG", logger="uvicorn")  # httpx2, our client here, logs what it asks for
    with capture_logs() as logs:
        await site.client.get(path)
        await site.client.post(f"{path}?token={token}")
        await site.client.put(path)
        await site.client.get(f"{path}/")
        await site.client.get(f"/elsewhere{path}")
        await site.store.close()
        assert (await site.client.get(path)).status_code == 503
    log = repr(logs) + "".join(line.getMessage() for line in caplog.records if line.name.startswith("uvicorn"))
    assert {line["path"] for line in logs if "path" in line} == {"/-/unsubscribe/…", "(unknown)"}
    assert token not in log
    assert READER.email not in log

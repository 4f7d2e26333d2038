from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import httpx2
import pytest
from structlog.testing import capture_logs

from newsletter.core.errors import ListFileError, Mistake, RenderError
from newsletter.web.studio.preview import previewing
from tests.web.studio import DAYS, READER, RENDERER, SmallStudio, message


@asynccontextmanager
async def looking_at(studio: SmallStudio) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        previewing(studio, RENDERER, port=0) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield client


async def test_the_first_list_is_shown_as_its_issue_would_be_now() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert studio.asked == [("daily", None, None)]
    assert '<h2 dir="auto">12 March: Sparse teachers for small agents ✓</h2>' in answer.text
    assert '<iframe sandbox="" src="/mail?"' in answer.text
    assert "Draft" in answer.text
    assert '<p class="note">' not in answer.text


async def test_list_day_and_reader_are_chosen_by_the_query() -> None:
    studio = SmallStudio()
    query = {"list": "daily", "day": "2026-03-11", "subscriber": READER, "view": "text"}
    async with looking_at(studio) as client:
        page = (await client.get("/", params=query)).text
    assert studio.asked == [("daily", DAYS[1], READER)]
    assert "<option selected>daily</option>" in page
    assert '<option value="2026-03-11" selected>Wed 11 Mar 2026</option>' in page
    assert f'value="{READER}"' in page
    assert "Frozen issue" in page


async def test_a_day_without_an_issue_can_be_looked_at_too() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        page = (await client.get("/", params={"day": "2026-04-01"})).text
    assert studio.asked == [("daily", date(2026, 4, 1), None)]
    assert '<option value="2026-04-01" selected>' in page


async def test_text_headers_and_source_are_shown_as_text() -> None:
    async with looking_at(SmallStudio()) as client:
        pages = {
            view: (await client.get("/", params={"view": view})).text for view in ("text", "headers", "source")
        }
    assert "— &amp; &lt;b&gt;no markup&lt;/b&gt;" in pages["text"]
    assert '<th scope="row">List-Unsubscribe-Post</th><td>List-Unsubscribe=One-Click</td>' in pages["headers"]
    assert "=?utf-8?" in pages["source"]
    assert not any("<iframe" in page for page in pages.values())


async def test_each_reload_renders_anew() -> None:
    async with looking_at(SmallStudio()) as client:
        frames = [(await client.get("/mail")).text for _ in range(2)]
    assert "rendering 1." in frames[0]
    assert "rendering 2." in frames[1]


async def test_the_mail_runs_no_script_sends_no_form_and_is_framed_by_us_alone() -> None:
    async with looking_at(SmallStudio()) as client:
        answer = await client.get("/mail", params={"theme": "dark"})
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox"):
        assert part in policy
    assert "(min-width: 0px)" in answer.text


async def test_the_page_lets_its_own_script_and_style_run_and_no_other() -> None:
    async with looking_at(SmallStudio()) as client:
        answers = [await client.get("/") for _ in range(2)]
    nonces = set()
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        (nonce,) = set(re.findall(r"nonce-([\w-]+)", policy))
        assert set(re.findall(r'nonce="([\w-]+)"', answer.text)) == {nonce}
        assert "unsafe" not in policy
        nonces.add(nonce)
    assert len(nonces) == 2


async def test_the_message_downloads_as_a_file_for_mail_programs() -> None:
    async with looking_at(SmallStudio()) as client:
        answer = await client.get("/message.eml", params={"subscriber": READER})
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-disposition"] == 'attachment; filename="daily-2026-03-12.eml"'
    boundary = re.compile(rb"={15}\d+==")
    assert boundary.sub(b"", answer.content) == boundary.sub(b"", message(READER, 1))


async def test_samples_are_said_to_be_samples() -> None:
    async with looking_at(SmallStudio(sample=True)) as client:
        page = (await client.get("/")).text
    assert '<p class="note">No listings are stored yet: this issue is made of samples. “Collect”' in page
    assert '<span class="badge">Sample</span>' in page


def token_of(page: str) -> str:
    [token] = re.findall(r'<button name="token" value="([^"]+)" formaction="/collect" formmethod="post">', page)
    return str(token)


async def test_collecting_shows_what_it_brought_once_and_keeps_the_choice() -> None:
    studio = SmallStudio(sample=True)
    async with looking_at(studio) as client:
        page = (await client.get("/")).text
        assert "newsletter collect" in page
        form = {"token": token_of(page), "list": "weekly", "day": "2026-03-11", "view": "text"}
        answer = await client.post("/collect", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?list=weekly&view=text")
        assert studio.collected == ["weekly"]
        assert "58 papers read" not in (await client.get("/?list=daily")).text
        assert "58 papers read, 40 of them new." in (await client.get("/?list=weekly&view=text")).text
        assert "58 papers read" not in (await client.get("/?list=weekly&view=text")).text


async def test_no_foreign_form_and_no_link_collects() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        for form in ({}, {"token": "x", "list": "daily"}, {"token": "é" * 100_000}):
            assert (await client.post("/collect", data=form)).status_code == 403
        token = token_of((await client.get("/")).text)
        assert (await client.get("/collect", params={"token": token, "list": "daily"})).status_code == 405
        assert (await client.post("/collect", data={"token": token, "list": "nope"})).status_code == 404
        assert (await client.post("/collect", data={"token": token}, headers={"Host": "evil.example"})).is_error
    assert studio.collected == []


async def test_a_template_error_is_a_page_with_template_and_line() -> None:
    studio = SmallStudio(trouble=RenderError("daily/body.html:12: 'paper' is undefined & <so on>"))
    async with looking_at(studio) as client:
        page, frame = await client.get("/", params={"width": "320"}), await client.get("/mail")
    assert page.status_code == 422
    assert "daily/body.html:12: &#39;paper&#39; is undefined &amp; &lt;so on&gt;" in page.text
    assert "Traceback" not in page.text
    # What was chosen is still there, so that a reload shows the same once the template is mended.
    assert "<option selected>daily</option>" in page.text
    assert '<input type="hidden" name="width" value="320">' in page.text
    assert (frame.status_code, frame.text) == (422, "daily/body.html:12: 'paper' is undefined & <so on>\n")


async def test_mistakes_in_list_files_are_shown_line_by_line() -> None:
    class Broken(SmallStudio):
        async def lists(self) -> tuple[str, ...]:
            mistakes = (Mistake("daily.toml", 3, "unknown key"), Mistake("daily.toml", 9, "no such timezone"))
            raise ListFileError(mistakes)

    async with looking_at(Broken()) as client:
        answer = await client.get("/")
    assert answer.status_code == 422
    assert "daily.toml:3: unknown key\ndaily.toml:9: no such timezone" in answer.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"list": "hourly"}, "there is no list &#39;hourly&#39;; there are: daily, weekly"),
        ({"day": "tomorrow"}, "day: &#39;tomorrow&#39; is not a date: write it as 2026-03-12"),
        ({"day": "0001-01-01"}, "day: 0001-01-01 is no day of a newsletter"),
        ({"day": "9999-12-31"}, "day: 9999-12-31 is no day of a newsletter"),
        ({"subscriber": "x@example.org"}, "x@example.org is no subscriber of daily"),
    ],
)
async def test_what_is_not_there_is_said_and_the_lists_can_still_be_chosen(
    query: dict[str, str], said: str
) -> None:
    async with looking_at(SmallStudio()) as client:
        answer = await client.get("/", params=query)
    assert answer.status_code == 404
    assert said in answer.text


async def test_without_any_list_the_page_says_what_to_do() -> None:
    async with looking_at(SmallStudio(names=())) as client:
        answer = await client.get("/")
    assert answer.status_code == 404
    assert "newsletter init" in answer.text


async def test_unknown_views_widths_and_themes_are_the_usual_ones() -> None:
    async with looking_at(SmallStudio()) as client:
        answer = await client.get("/", params={"view": "x", "width": "9", "theme": "?"})
    assert answer.status_code == 200
    assert re.findall(r'value="(\w+)" checked', answer.text) == ["html", "600", "light"]


@pytest.mark.parametrize("host", ["papers.example.org", "127.0.0.1.example.org", "localhost.example.org", "[::2]"])
async def test_a_foreign_name_that_points_at_this_machine_is_refused(host: str) -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        answer = await client.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert studio.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:80", "[::1]:8000"])
async def test_the_names_of_this_machine_are_let_in(host: str) -> None:
    async with looking_at(SmallStudio()) as client:
        assert (await client.get("/", headers={"Host": host})).status_code == 200


async def test_it_is_served_on_loopback_only() -> None:
    async with previewing(SmallStudio(), RENDERER, port=0) as url:
        assert url.startswith("http://127.0.0.1:")


async def test_addresses_of_subscribers_stay_out_of_the_log() -> None:
    with capture_logs() as logs:
        async with looking_at(SmallStudio()) as client:
            await client.get("/", params={"subscriber": READER})
    assert READER not in repr(logs)

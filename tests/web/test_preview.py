from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from urllib.parse import urlencode

import httpx2
import pytest
from structlog.testing import capture_logs

from newsletter.core.choosing import ChoiceWeights
from newsletter.core.errors import ListFileError, Mistake, RenderError
from newsletter.ports.previews import Asked
from newsletter.web.studio.preview import previewing
from tests.web.studio import DAYS, NO_TLS, READER, SmallStudio, message


@asynccontextmanager
async def looking_at(studio: SmallStudio) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        previewing(studio.desk.opened, port=0) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30, verify=NO_TLS) as client,
    ):
        yield client


async def test_the_first_list_is_shown_as_its_issue_would_be_now() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert studio.asked == [Asked(list="daily")]
    assert '<b dir="auto">12 March: Sparse teachers for small agents ✓</b>' in answer.text
    assert '<b dir="auto">12 March: Sparse teachers for small agen…</b>' in answer.text  # on a phone
    assert "Sparse teachers for small agents Made for nobody@example.org" in answer.text  # beside the subject
    assert len(re.findall(r'<iframe sandbox="allow-same-origin" src="/mail\?', answer.text)) == 2
    assert '<option value="">As it would be now</option>' in answer.text
    assert '<p class="note">' not in answer.text


async def test_list_day_and_reader_are_chosen_by_the_query() -> None:
    studio = SmallStudio()
    query = {"list": "daily", "day": "2026-03-11", "subscriber": READER, "view": "text"}
    async with looking_at(studio) as client:
        page = (await client.get("/", params=query)).text
    assert studio.asked == [Asked(list="daily", day=DAYS[1], reader=READER)]
    assert "<option selected>daily</option>" in page
    assert '<option value="2026-03-11" selected>Wed 11 Mar 2026 · closed, no. 1</option>' in page
    assert f'value="{READER}"' in page
    assert 'value="text" form="choice" checked' in page


async def test_a_day_without_an_issue_can_be_looked_at_too() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        page = (await client.get("/", params={"day": "2026-04-01"})).text
    assert studio.asked == [Asked(list="daily", day=date(2026, 4, 1))]
    assert '<option value="2026-04-01" selected>Wed 01 Apr 2026 · draft</option>' in page


async def test_text_headers_and_source_are_shown_as_text_line_by_line() -> None:
    async with looking_at(SmallStudio()) as client:
        page = (await client.get("/")).text
    assert '<li id="text-4">— &amp; &lt;b&gt;no markup&lt;/b&gt;</li>' in page
    assert '<th scope="row">List-Unsubscribe-Post</th><td>List-Unsubscribe=One-Click</td>' in page
    assert re.search(r'<li id="source-1">Subject: .*=\?utf-8\?', page)


async def test_a_frame_shows_the_message_that_its_page_made_and_any_other_is_rendered_anew() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        page = (await client.get("/")).text
        [light, dark] = [html.unescape(one) for one in re.findall(r'src="(/mail\?[^"]+)"', page)]
        assert "rendering 1." in (await client.get(light)).text
        assert "rendering 1." in (await client.get(dark)).text
        for _ in range(9):
            await client.get("/")
        assert "rendering 11." in (await client.get(light)).text  # it is kept for the newest few pages


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


async def test_pictures_can_be_blocked_and_colours_turned_around() -> None:
    async with looking_at(SmallStudio()) as client:
        shown = await client.get("/mail", params={"theme": "dark"})
        blocked = await client.get("/mail", params={"theme": "dark", "pictures": "none", "inverted": "yes"})
    assert "img-src https: data:;" in shown.headers["content-security-policy"]
    assert "img-src 'none';" in blocked.headers["content-security-policy"]
    # Such a program knows nothing of dark mode: the light rules apply, turned around.
    assert "(max-width: 0px)" in blocked.text
    assert "invert(" in blocked.text
    assert "invert(" not in shown.text


async def test_the_page_runs_scripts_and_styles_of_files_alone_and_these_are_there() -> None:
    async with looking_at(SmallStudio()) as client:
        answer = await client.get("/")
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'; connect-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.findall(r"<style|<script>| style=| on[a-z]+=", answer.text)
        for path in re.findall(r'(?:href|src)="(/-/static/[^"]+)"', answer.text):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/-/static/studio.html")).status_code == 404


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
    assert '<p class="note">No listings are stored yet: this issue is made of samples. “Collect now”' in page
    assert "newsletter collect --list daily" in page


async def test_collecting_shows_what_it_brought_once_and_keeps_the_choice() -> None:
    studio = SmallStudio(sample=True)
    async with looking_at(studio) as client:
        query = {"list": "weekly", "day": "2026-03-11", "view": "text"}
        answer = await client.post("/collect", params=query)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?list=weekly&view=text")
        assert studio.collected == ["weekly"]
        assert "58 papers read" not in (await client.get("/?list=daily")).text
        assert "58 papers read, 40 of them new." in (await client.get("/?list=weekly&view=text")).text
        assert "58 papers read" not in (await client.get("/?list=weekly&view=text")).text


async def test_a_test_copy_goes_to_the_address_that_was_typed_and_the_page_says_what_became_of_it() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        query = {"list": "daily", "subscriber": READER}
        answer = await client.post("/send", params=query, data={"to": " me@example.org "})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?{urlencode(query)}")
        assert studio.sent == [(Asked(list="daily", reader=READER), "me@example.org")]
        assert "me@example.org: sent by relay (250 OK)" in (await client.get("/", params=query)).text
        await client.post("/send", params=query, data={"to": "nobody"})
        assert "Not sent: &#39;nobody&#39; is not an address" in (await client.get("/", params=query)).text


async def test_no_foreign_form_and_no_link_collects_or_sends() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        for path in ("/collect", "/send"):
            for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
                answer = await client.post(path, data={"to": READER}, headers=headers)
                assert answer.status_code == 403
            assert (await client.get(path)).status_code == 405
            assert (await client.post(path, params={"list": "nope"}, data={"to": READER})).status_code == 404
            assert (await client.post(path, headers={"Host": "evil.example"})).is_error
        await client.post("/send", data={"to": "é" * 100_000})
    assert (studio.collected, studio.sent) == ([], [])


async def test_addresses_are_found_by_how_they_begin() -> None:
    async with looking_at(SmallStudio()) as client:
        assert (await client.get("/readers", params={"prefix": "an"})).json() == ["ann@example.org"]
        assert (await client.get("/readers", params={"prefix": "x"})).json() == []


async def test_weights_of_the_query_reach_the_order_and_wrong_ones_are_named() -> None:
    studio = SmallStudio()
    async with looking_at(studio) as client:
        query = {"ranking.votes": "0.5", "choice.text": "3", "ranking.growth": ""}
        assert (await client.get("/considered", params=query)).status_code == 200
        wanted = Asked(list="daily", ranking={"votes": 0.5}, choice=ChoiceWeights(text=3))
        assert studio.asked == [wanted]
        for text in ("-1", "11", "nan", "many", "1e999"):
            answer = await client.get("/considered", params={"ranking.votes": text})
            assert (answer.status_code, "votes:" in answer.text) == (404, True)


async def test_a_template_error_is_a_page_with_template_and_line() -> None:
    studio = SmallStudio(trouble=RenderError("daily/body.html:12: 'paper' is undefined & <so on>"))
    async with looking_at(studio) as client:
        page, frame = await client.get("/"), await client.get("/mail")
    assert page.status_code == 422
    assert "daily/body.html:12: &#39;paper&#39; is undefined &amp; &lt;so on&gt;" in page.text
    assert '<tr class="wrong"><th scope="row">12</th>' in page.text
    assert "{% extends &#34;_base/mail.html&#34; %}" in page.text
    assert "Traceback" not in page.text
    # What was chosen is still there, so that a reload shows the same once the template is mended.
    assert "<option selected>daily</option>" in page.text
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
    assert re.findall(r'type="radio" name="\w+" value="(\w+)" form="choice" checked', answer.text) == [
        "html",
        "360",
    ]


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
    async with previewing(SmallStudio().desk.opened, port=0) as url:
        assert url.startswith("http://127.0.0.1:")


async def test_addresses_of_subscribers_stay_out_of_the_log() -> None:
    with capture_logs() as logs:
        async with looking_at(SmallStudio()) as client:
            await client.get("/", params={"subscriber": READER})
    assert READER not in repr(logs)

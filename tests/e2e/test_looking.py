"""`render`, `send`, `lint` and `preview`: the same issue before it goes out."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import httpx2
from pytest_httpserver import HTTPServer

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace, part


async def test_render_writes_what_a_reader_would_get(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    words = ("render", "--list", "daily", "--date", "2026-03-12", "--subscriber", "ann@example.org", "--format")
    html = await workplace.run(*words, "html")
    assert html.code == 0
    assert "Sorting by Patience" in html.out
    text = await workplace.run(*words, "text")
    assert "Sorting by Patience" in text.out
    assert "<td" not in text.out
    assert (await workplace.run(*words, "eml", "-o", "mail.eml")).code == 0
    mail = message_from_bytes((workplace.folder / "mail.eml").read_bytes(), policy=default)
    assert mail["To"] == "Ann <ann@example.org>"
    assert (await workplace.run("issues", "list", "--json")).json == []


async def test_the_weekly_edition_can_be_looked_at_too(workplace: Workplace) -> None:
    more = '\n[[subscribers]]\nemail = "ben@example.org"\ncadence = "weekly"\n'
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    words = ("render", "--date", "2026-03-13", "--format", "text", "--list")
    weekly = await workplace.run(*words, "daily.weekly", "--subscriber", "ben@example.org")
    assert weekly.code == 0, weekly.err
    assert "Sorting by Patience" in weekly.out
    assert (await workplace.run(*words, "nope.weekly")).code == 2


async def test_a_test_copy_leaves_the_ledger_alone(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    sent = await workplace.run("send", "--list", "daily", "--date", "2026-03-12", "--to", "editor@example.org")
    assert sent.code == 0, sent.err
    (copy,) = workplace.mails()
    assert copy["To"] == "editor@example.org"
    assert (await workplace.run("deliveries", "list", "--json")).json == []
    await workplace.run("run", "--date", "2026-03-12")
    issue = workplace.mails()[-1]
    assert copy["Subject"] == f"[Test] {issue['Subject']}"
    assert issue["Message-ID"] != copy["Message-ID"]


async def test_where_no_source_can_be_read_it_is_that_which_is_said(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../nowhere-*.txt"])
    for words in ("render --list daily", "send --list daily --to a@example.org", "lint"):
        done = await workplace.run(*words.split(), "--date", "2026-03-12")
        assert done.code == 69, done.err
        said = (done.err.splitlines() + done.out.splitlines())[-1]
        assert "list daily: no source could be read: saved_page:" in said
        assert said.endswith("nowhere-*.txt: no file matches")
    save_page(workplace)
    workplace.list_file(["saved_page:../page-*.txt"], name="other")
    both = await workplace.run("lint", "--date", "2026-03-12")
    assert both.code == 69
    assert "other: " in both.out


async def test_a_test_copy_may_be_that_of_another_reader(workplace: Workplace) -> None:
    topic = '\n[topics.calmness]\nkeywords = ["patience"]\n'
    reader = '\n[[subscribers]]\nemail = "ben@example.org"\nname = "Ben"\ntopics = ["calmness"]\n'
    workplace.list_file(["saved_page:../page-*.txt"], more=topic + reader)
    save_page(workplace)
    words = ("send", "--list", "daily", "--date", "2026-03-12", "--to", "editor@example.org")
    assert (await workplace.run(*words, "--subscriber", "ben@example.org")).code == 0
    assert (await workplace.run(*words)).code == 0
    as_ben, as_editor = workplace.mails()
    assert (as_ben["To"], as_editor["To"]) == ("Ben <editor@example.org>", "editor@example.org")
    bodies = [part(mail, "plain") for mail in (as_ben, as_editor)]
    assert ["ben@example.org" in body for body in bodies] == [False, False]
    assert ["Sorting by Patience" in body for body in bodies] == [True, True]
    assert ["calmness" in body for body in bodies] == [True, False]


async def test_lint_finds_nothing_to_stop_our_own_mail(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    done = await workplace.run("lint", "--date", "2026-03-12", "--json")
    assert done.code == 0, done.out
    assert [one for one in done.json[0]["findings"] if one["level"] == "failure"] == []


async def test_lint_asks_for_the_links_when_it_is_told_to(workplace: Workplace, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/paper").respond_with_data("here")
    httpserver.expect_request("/code").respond_with_data(status=404)
    paper = {"title": "A Paper", "url": httpserver.url_for("/paper"), "code_url": httpserver.url_for("/code")}
    (workplace.folder / "papers-2026-03-12.jsonl").write_text(json.dumps(paper))
    workplace.list_file(["jsonl:../papers-*.jsonl"])
    workplace.environment["NEWSLETTER_HTTP__ALLOW_PRIVATE"] = "true"
    done = await workplace.run("lint", "--date", "2026-03-12", "--links", "--json")
    assert done.code == 0, done.err
    found = [(one["rule"], one["where"], one["message"]) for one in done.json[0]["findings"]]
    assert ("dead-link", f"link {paper['code_url']}", "answered 404") in found
    assert ("link-https", f"HTML part, link {paper['url']!r}", "is plain HTTP") in found
    assert "dead-link" not in (await workplace.run("lint", "--date", "2026-03-12")).out


async def test_nothing_to_show_is_said(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    done = await workplace.run("render", "--list", "daily", "--date", "2020-01-01")
    assert done.code == 1
    assert "nothing new" in done.complaints[0]


async def test_the_preview_shows_samples_in_the_browser_and_collects_when_asked(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    opened = workplace.folder / "opened"
    workplace.environment["BROWSER"] = f"sh -c 'echo %s >{opened}'"
    workplace.set_clock(datetime(2026, 3, 14, 9, tzinfo=UTC))  # a Saturday
    process = await workplace.start("preview", "--port", "0", "--open")
    assert process.stdout is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        async with httpx2.AsyncClient(timeout=60) as client:
            page = await client.get(url)
            assert page.status_code == 200
            assert "Sample listings" in page.text
            mail = await client.get(url.rstrip("/") + "/mail")
            assert "EnvHarness" in mail.text
            assert opened.read_text().strip() == url
            save_page(workplace)
            collect = url.rstrip("/") + "/collect?list=daily"
            after = await client.post(collect, follow_redirects=True)
            assert "of them new." in after.text
            assert "Sample listings" not in after.text
            assert "Sorting by Patience" in (await client.get(url.rstrip("/") + "/mail")).text
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0

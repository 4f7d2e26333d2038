"""The daily work through the command line, into a real server's Maildir."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from email.utils import parseaddr
from urllib.parse import unquote

import pytest

from newsletter.core.tokens import Links
from newsletter.ports.growth import Grown
from newsletter.store import open_store
from tests.e2e.workplace import Workplace, part
from tests.services import shared

PAGE = """\
Get trending papers in your email inbox!

Subscribe

Daily Papers

byAK and the research community

Mar 12

<script>alert(1)</script> & "quotes" in a Title

We study what happens to markup in titles, and find that careful programs show it as it stands.

  • 4 authors
·
Mar 2, 2023 3

Sorting by Patience

A short study of a slow algorithm.

  • 1 author
·
Mar 8
"""


def save_page(workplace: Workplace, day: str = "2026-03-12", page: str = PAGE) -> None:
    (workplace.folder / f"page-{day}.txt").write_text(page)


@pytest.mark.by_workers
async def test_a_run_sends_each_reader_one_mail_and_a_second_run_none(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    first = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert first.code == 0, first.err
    assert first.json["status"] == "sent"
    assert first.json["collected"] == {"saved_page": 2}
    assert first.json["new"] == 2
    assert first.json["issue"]["number"] == 1
    assert first.json["issue"]["listings"] == 2
    assert first.json["issue"]["html_bytes"] > 1000
    assert first.json["deliveries"]["sent"] == 1
    again = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert again.code == 0
    assert again.json["status"] == "sent"
    assert again.json["issue"] == first.json["issue"]
    assert again.json["sent_now"] == 0
    assert len(workplace.mails()) == 1


async def test_a_run_counts_readers_once_a_day_for_the_pages_of_the_operator(workplace: Workplace) -> None:
    async def counted() -> Grown:
        store = await open_store(workplace.cluster_url or f"sqlite:///{workplace.folder}/var/newsletter.db")
        try:
            return await store.growth.since(date(2026, 1, 1), list_name="daily")
        finally:
            await store.close()

    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    await workplace.run("run", "--date", "2026-03-12")
    first = await counted()
    assert first.counted_at
    assert first.days[-1].readers == 1
    await workplace.run("run", "--date", "2026-03-12")
    assert await counted() == first


async def test_the_mail_is_for_its_one_reader_and_shows_hostile_titles_as_text(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    workplace.environment["NEWSLETTER_WEB__PUBLIC_URL"] = "https://papers.example.org"
    await workplace.run("run", "--date", "2026-03-12")
    (mail,) = workplace.mails()
    assert mail["To"] == "Ann <ann@example.org>"
    assert mail["Subject"] == '<script>alert(1)</script> & "quotes" in a Title'
    unsubscribe = mail["List-Unsubscribe"]
    assert unsubscribe.startswith("<https://papers.example.org/-/unsubscribe/")
    assert "=?" not in unsubscribe
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [piece.get_content_type() for piece in mail.iter_parts()] == ["text/plain", "text/html"]
    html, text = part(mail, "html"), part(mail, "plain")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in html
    assert '<script>alert(1)</script> & "quotes" in a Title' in " ".join(text.split())
    for shown in ("4 authors", "3 comments", "1 author"):
        assert shown in html
    assert "A short study of a slow algorithm." in " ".join(text.split())


async def test_without_public_pages_a_reader_leaves_by_a_mail_to_the_sender(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    workplace.environment["NEWSLETTER_WEB__SECRET_KEY"] = "a key for tests of mails that leave"
    done = await workplace.run("run", "--date", "2026-03-12")
    assert done.code == 0, done.err
    (mail,) = workplace.mails()
    link = mail["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"mailto:{parseaddr(mail['From'])[1]}?subject=unsubscribe%20")
    links = Links("", workplace.environment["NEWSLETTER_WEB__SECRET_KEY"])
    assert links.read_unsubscribe_mail(unquote(link)) == 1
    assert f'href="{link}"' in part(mail, "html")
    assert link in part(mail, "plain").splitlines()
    for piece in (mail.as_string(), part(mail, "html"), part(mail, "plain")):
        assert "localhost:" not in piece
        assert "One-Click" not in piece
    assert "Read on the web" not in part(mail, "html") + part(mail, "plain")


async def test_what_was_sent_once_is_never_new_again(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    await workplace.run("run", "--date", "2026-03-12")
    save_page(
        workplace, "2026-03-13", PAGE.replace("Sorting by Patience", "A New Paper").replace("Mar 12", "Mar 13")
    )
    second = await workplace.run("run", "--date", "2026-03-13", "--json")
    assert (second.json["new"], second.json["issue"]["listings"]) == (1, 1)
    save_page(workplace, "2026-03-16", PAGE.replace("Mar 12", "Mar 16"))
    third = await workplace.run("run", "--date", "2026-03-16", "--json")
    assert third.code == 0
    assert (third.json["status"], third.json["new"], third.json["issue"]) == ("nothing_new", 0, None)
    assert len(workplace.mails()) == 2


async def test_a_dry_run_freezes_and_sends_nothing(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    rehearsed = await workplace.run("run", "--date", "2026-03-12", "--dry-run", "--json")
    assert rehearsed.json["status"] == "dry_run"
    assert rehearsed.json["issue"]["listings"] == 2
    assert not workplace.mails()
    assert (await workplace.run("issues", "list", "--json")).json == []


async def test_one_source_that_fails_does_not_cost_the_issue(workplace: Workplace) -> None:
    workplace.environment |= {
        "NEWSLETTER_HUGGINGFACE__URL": "http://127.0.0.1:9",
        "NEWSLETTER_HTTP__RETRIES": "0",
    }
    workplace.list_file(["huggingface", "saved_page:../page-*.txt"])
    save_page(workplace)
    done = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert done.code == 0
    assert done.json["status"] == "sent"
    assert "127.0.0.1:9" in done.json["failures"]["huggingface"]
    assert len(workplace.mails()) == 1


async def test_when_no_source_answers_there_is_no_issue_and_exit_69(workplace: Workplace) -> None:
    workplace.environment |= {
        "NEWSLETTER_HUGGINGFACE__URL": "http://127.0.0.1:9",
        "NEWSLETTER_HTTP__RETRIES": "0",
    }
    workplace.list_file(["huggingface"])
    done = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert done.code == 69
    assert done.json["status"] == "failed"
    assert (await workplace.run("issues", "list", "--json")).json == []


@pytest.mark.by_workers
async def test_a_relay_that_cannot_be_reached_costs_nobody_the_issue(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    right, workplace.port = workplace.port, 9
    failed = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert failed.code == 69
    assert failed.json["status"] == "failed"
    assert "127.0.0.1:9" in failed.json["reason"]
    assert failed.json["deliveries"]["queued"] == 1
    workplace.port = right
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"
    assert len(workplace.mails()) == 1


@pytest.mark.by_workers
async def test_two_runs_at_once_make_one_issue_and_one_delivery_each(workplace: Workplace) -> None:
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(40))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    await workplace.run("db", "upgrade")
    processes = [await workplace.start("run", "--date", "2026-03-12", "--json") for _ in range(3)]
    for process in processes:
        _, err = await process.communicate()
        assert process.returncode in {0, 75}, err.decode()
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"
    recipients = [str(mail["To"]) for mail in workplace.mails()]
    assert len(recipients) == len(set(recipients)) == 41
    assert len((await workplace.run("issues", "list", "--json")).json) == 1


@pytest.mark.parametrize(
    ("day", "new", "on_page"),
    [("2026-03-11", 119, 119), ("2026-03-12", 46, 49), ("2026-04-15", 7, 32)],
)
def test_figures_of_the_recorded_pages(day: str, new: int, on_page: int) -> None:
    """Hold the figures that the next test compares with the program's."""
    page = shared("listings", f"daily-papers-{day}.txt").read_text()
    assert page
    assert new <= on_page


async def test_recorded_pages_arrive_whole_in_their_order(workplace: Workplace) -> None:
    folder = shared("listings")
    workplace.list_file([f"saved_page:{folder}/*.txt"])
    figures = {"2026-03-11": (119, 119), "2026-03-12": (46, 49), "2026-04-15": (7, 32)}
    for number, (day, (new, on_page)) in enumerate(figures.items(), start=1):
        for _ in range(2):
            done = await workplace.run("run", "--date", day, "--json")
            assert done.code == 0, done.err
            assert done.json["status"] == "sent"
            assert done.json["collected"] == {"saved_page": on_page}
            assert done.json["new"] == new
            assert done.json["issue"]["number"] == number
        assert len(workplace.mails()) == number
    shown = (await workplace.run("issues", "show", "--list", "daily", "--date", "2026-04-15", "--json")).json
    text = " ".join(part(workplace.mails()[-1], "plain").split())
    assert len(shown["listings"]) == 7
    places = [text.index(" ".join(listing["title"].split()[:3])) for listing in shown["listings"]]
    assert places == sorted(places)


async def test_the_ledger_says_what_the_relay_said(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    await workplace.run("run", "--date", "2026-03-12")
    (record,) = (await workplace.run("deliveries", "list", "--json")).json
    assert (record["email"], record["state"], record["code"]) == ("ann@example.org", "sent", 250)
    (row,) = (await workplace.run("status", "--json")).json
    assert row["deliveries"] == {"sent": 1}
    assert row["stuck"] == 0
    if workplace.cluster_url is None:
        with closing(sqlite3.connect(workplace.folder / "var" / "newsletter.db")) as ledger:
            assert ledger.execute("select count(*) from deliveries").fetchone() == (1,)

"""An issue that cannot be made: the operator hears of it, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.e2e.test_run import PAGE, save_page
from tests.e2e.test_serve import due_list, served, until
from tests.e2e.workplace import Workplace, part

DAY = ("--date", "2026-03-12")


async def test_a_broken_template_stops_the_issue_and_is_mailed_to_the_operator_once(workplace: Workplace) -> None:
    workplace.environment["NEWSLETTER_ALARM__TO"] = "operator@example.org"
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    own = workplace.folder / "templates" / "daily" / "body.txt"
    own.parent.mkdir(parents=True)
    own.write_text("{{ isue.day }}")
    for _ in range(2):
        done = await workplace.run("run", *DAY, "--json")
        assert (done.code, done.json["status"]) == (78, "failed")
        assert f"{own}:1: 'isue' is undefined" in done.complaints[0]
    (mail,) = workplace.mails()
    assert mail["To"] == "operator@example.org"
    assert "templates/daily/body.txt:1: 'isue' is undefined" in " ".join(part(mail, "plain").split())
    own.unlink()
    assert (await workplace.run("run", *DAY, "--json")).json["status"] == "sent"
    assert len(workplace.mails()) == 3
    assert [one["Subject"] for one in workplace.mails() if "resolved" in one["Subject"]] == [
        "Daily Papers, resolved: no issue of Thursday, 12 March 2026"
    ]


async def test_an_issue_that_fails_its_checks_is_stopped_and_mailed_to_the_operator(workplace: Workplace) -> None:
    workplace.environment["NEWSLETTER_ALARM__TO"] = "operator@example.org"
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    own = workplace.folder / "templates" / "daily" / "body.html"
    own.parent.mkdir(parents=True)
    own.write_text('<p>Hello</p><a href="javascript:alert(1)">more</a>')
    done = await workplace.run("run", *DAY, "--json")
    assert (done.code, done.json["status"]) == (1, "failed")
    (mail,) = workplace.mails()
    assert "A check of the finished mail failed" in part(mail, "plain")
    assert (await workplace.run("issues", "list", "--json")).json == []


async def test_a_day_on_which_no_source_answers_is_mailed_a_rehearsal_is_not(workplace: Workplace) -> None:
    workplace.environment |= {
        "NEWSLETTER_ALARM__TO": "operator@example.org",
        "NEWSLETTER_HUGGINGFACE__URL": "http://127.0.0.1:9",
        "NEWSLETTER_HTTP__RETRIES": "0",
    }
    workplace.list_file(["huggingface"])
    await workplace.run("run", *DAY, "--dry-run")
    assert not workplace.mails()
    await workplace.run("run", *DAY)
    (mail,) = workplace.mails()
    assert "huggingface: 127.0.0.1:9: no answer" in " ".join(part(mail, "plain").split())


async def test_serve_tells_the_operator_too_and_only_once(workplace: Workplace) -> None:
    workplace.environment |= {
        "NEWSLETTER_ALARM__TO": "operator@example.org",
        "NEWSLETTER_HUGGINGFACE__URL": "http://127.0.0.1:9",
        "NEWSLETTER_HTTP__RETRIES": "0",
    }
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2), sources=["huggingface"])
    async with served(workplace):
        await until(lambda: len(workplace.mails()) == 1)
    async with served(workplace):
        await asyncio.sleep(2.5)  # two ticks
    (mail,) = workplace.mails()
    assert "None of the list's sources could be read" in " ".join(part(mail, "plain").split())


async def test_an_hour_that_was_missed_is_told_by_every_run_and_mailed_to_the_operator_once(
    workplace: Workplace,
) -> None:
    workplace.environment["NEWSLETTER_ALARM__TO"] = "operator@example.org"
    workplace.list_file(["saved_page:../page-*.txt"])
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace("hour =", 'deadline = "3h"\nhour =', 1))
    save_page(workplace, "2026-03-11")
    assert (await workplace.run("run", "--date", "2026-03-11", "--json")).json["status"] == "sent"
    save_page(workplace, "2026-03-12", PAGE.replace("Sorting", "Searching"))
    workplace.set_clock(datetime(2026, 3, 12, 13, tzinfo=UTC))
    for _ in range(2):
        done = await workplace.run("run", "--json")
        assert (done.code, done.json["status"], done.json["date"]) == (0, "missed", "2026-03-12")
        assert "slot_missed" in done.err
    _, alarm = workplace.mails()
    assert alarm["To"] == "operator@example.org"
    assert "newsletter run --date 2026-03-12" in " ".join(part(alarm, "plain").split())
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"
    assert (await workplace.run("run", "--json")).json["status"] == "sent"
    assert len(workplace.mails()) == 4  # two issues, the alarm, and that it is over

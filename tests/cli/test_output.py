"""What commands print: rows and sentences for people, JSON for programs, nothing without a reason for cron."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import pytest

from newsletter.pipeline.report import RunReport, RunStatus
from tests.cli.conftest import LIST, READER
from tests.smtp_server import SmtpServer, in_thread

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Call

TOKYO = '\n[[subscribers]]\nemail = "bob@lab.example"\nhour = "07:30"\ntimezone = "Asia/Tokyo"\n'
PAPERS = [{"title": f"On number {number}", "url": f"https://lab.example/{number}"} for number in range(3)]
DAY = ("--date", "2026-03-12")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+]00:00")


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Return the mail server that the settings name."""
    with in_thread(SmtpServer()) as server:
        monkeypatch.setenv("NEWSLETTER_SMTP__HOST", "127.0.0.1")
        monkeypatch.setenv("NEWSLETTER_SMTP__PORT", str(server.port))
        monkeypatch.setenv("NEWSLETTER_SMTP__SECURITY", "none")
        yield server


@pytest.fixture
def ready(folder: Path) -> Path:
    """Return a working folder whose list has two readers, and papers of one day."""
    lists = folder / "subscribers"
    (lists / "daily.toml").write_text(f'timezone = "America/New_York"\n{LIST}{READER}{TOKYO}')
    (lists / "papers-2026-03-12.jsonl").write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
    return folder


def test_a_dry_run_shows_titles_readers_and_when_their_mail_is_due(call: Call, ready: Path) -> None:
    code, out, err = call("run", "--dry-run", *DAY)
    assert code == 0, err
    assert [line.split(". ")[1] for line in out.splitlines() if ". On" in line] == [one["title"] for one in PAPERS]
    assert re.search(r"2 readers, due \d{4}-\d\d-\d\d \d\d:\d\d \(America/New_York\), all at once", out)
    assert "ann@lab.example: 20" in out
    rehearsal = json.loads(call("run", "--dry-run", *DAY, "--json")[1])["rehearsal"]
    assert [copy["email"] for copy in rehearsal["copies"]] == ["ann@lab.example", "bob@lab.example"]
    assert ISO.fullmatch(rehearsal["copies"][1]["due_at"])
    assert json.loads(call("issues", "list", "--json")[1]) == []


def test_cron_hears_nothing_while_nothing_happens_and_of_mail_that_goes_out(
    call: Call, ready: Path, relay: SmtpServer
) -> None:
    (ready / "subscribers" / "daily.toml").write_text(f"days = []\n{LIST}{READER}")
    assert call("run", "--quiet") == (0, "", "")
    code, out, err = call("run", "--quiet", *DAY)
    assert (code, err) == (0, "")
    assert "1 sent" in out
    relay.answer("RCPT", "550 5.1.1 no such user")
    assert call("run", "--quiet", *DAY) == (0, "", "")


def test_cron_hears_of_a_relay_that_refuses(call: Call, ready: Path, relay: SmtpServer) -> None:
    relay.answer("GREETING", "554 5.3.2 not today")
    code, out, _ = call("run", "--quiet", *DAY)
    assert code == 69
    assert "554 5.3.2 not today" in out


def test_cron_hears_of_what_goes_wrong_in_one_line_each(call: Call, ready: Path) -> None:
    (ready / "subscribers" / "papers-2026-03-12.jsonl").unlink()
    (ready / "subscribers" / "daily.toml").write_text(f"{LIST}{READER}")
    code, out, err = call("run", "--quiet", *DAY)
    assert (code, err) == (69, "")
    assert re.fullmatch(r"daily 2026-03-12: failed: no source could be read; jsonl:.+: no file matches\n", out)
    (ready / "subscribers" / "daily.toml").write_text(f"no_such_key = 1\n{LIST}{READER}")
    code, out, err = call("run", "--quiet", *DAY)
    assert (code, out) == (78, "")
    assert re.fullmatch(r"newsletter: .*daily.toml:1: unknown key 'no_such_key'.+\n", err)


def test_cron_hears_of_mail_that_was_put_off_and_nothing_while_it_waits(
    call: Call, ready: Path, relay: SmtpServer
) -> None:
    relay.answer("RCPT", "451 4.7.1 greylisted")
    assert call("run", "--quiet", *DAY) == (75, "daily 2026-03-12: partial\n", "")
    waits = RunReport(list="daily", date=date(2026, 3, 12), status=RunStatus.PARTIAL)
    assert not waits.is_notable
    assert replace(waits, has_tried=True).is_notable


def test_ci_fails_when_an_alarm_begins_and_not_as_long_as_it_lasts(
    call: Call, ready: Path, relay: SmtpServer
) -> None:
    other = LIST.replace("papers-*", "nothing-*") + READER
    assert "nothing-*" in other
    (ready / "subscribers" / "other.toml").write_text(other)
    code, _, err = call("run", "--fail-on-alarm", *DAY)
    assert code == 1
    assert "newsletter: alarm: sources of other: " in err
    assert call("run", "--fail-on-alarm", *DAY)[0] == 75


def test_status_says_who_reads_what_hangs_and_why_and_what_comes_next(
    call: Call, ready: Path, relay: SmtpServer
) -> None:
    relay.answer("RCPT", "451 4.7.1 greylisted", address="bob@lab.example")
    assert call("run", *DAY)[0] == 75
    (ready / "subscribers" / "papers-2026-03-13.jsonl").write_text(json.dumps({"title": "On number 9"}))
    assert call("run", "--date", "2026-03-13")[0] == 75
    _, out, _ = call("status")
    assert "daily: Daily, times in America/New_York\n" in out
    assert re.search(r"\n  readers +2\n  last issue +2026-03-13, no. 2: 1 sent, 1 deferred\n", out)
    for day in ("2026-03-12", "2026-03-13"):  # not of the newest alone
        assert re.search(rf"unfinished +{day}: 1 deferred, the next at [\d: -]+: 451 4.7.1 greylisted", out)
    assert re.search(r"next issue +\d{4}-\d\d-\d\d 08:00\n", out)
    assert re.search(r"source +jsonl:\S+: last read \d{4}-\d\d-\d\d \d\d:\d\d", out)
    assert f"127.0.0.1:{relay.port}: no known trouble" in out
    [row] = json.loads(call("status", "--json")[1])
    assert [(one["day"], one["deliveries"]) for one in row["unfinished"]] == [
        ("2026-03-12", {"deferred": 1}),
        ("2026-03-13", {"deferred": 1}),
    ]


def test_each_log_line_of_a_delivery_names_its_list_and_issue_and_nobodys_address(
    call: Call, ready: Path, relay: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_LOG__FORMAT", "json")
    relay.answer("GREETING", "554 5.3.2 nothing from <bob@lab.example>")
    _, _, err = call("run", *DAY)
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    of_delivery = [one for one in lines if one["event"] == "relay_in_trouble"]
    assert {(one["list"], one["issue"], one["day"]) for one in of_delivery} == {("daily", 1, "2026-03-12")}
    assert "bob@" not in json.dumps(lines)
    assert "***@lab.example" in json.dumps(lines)


def test_status_says_first_which_alarms_last_and_what_to_do(call: Call, ready: Path) -> None:
    broken = ready / "subscribers" / "broken.toml"
    broken.write_text("title = 5\n")
    assert call("run")[0] == 78
    code, out, _ = call("status")
    assert code == 78
    assert out.startswith(
        "what needs you, times in America/New_York\n  list-file     A mistake in the file of list broken"
    )
    assert "newsletter lists check names all mistakes" in out
    [row] = json.loads(call("status", "--json")[1])
    assert row["alarms"] == []  # they are another list's
    broken.unlink()
    assert call("run")[0] == 0
    assert "what needs you" not in call("status")[1]


def test_rows_are_whole_and_those_left_out_are_counted(
    call: Call, ready: Path, relay: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    relay.answer("RCPT", "451 4.7.1 " + "greylisted " * 20, address="bob@lab.example")
    call("run", *DAY)
    _, out, _ = call("deliveries", "list")
    (row,) = [line for line in out.splitlines() if "bob@lab.example" in line]
    assert row.endswith("greylisted")
    assert "when (America/New_York)" in out
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d ", row)
    _, out, _ = call("deliveries", "list", "--limit", "1")
    assert out.splitlines()[-1] == "1 of 2 deliveries; --limit 2 shows all"
    _, out, err = call("deliveries", "list", "--limit", "1", "--json")
    assert len(json.loads(out)) == 1
    assert "1 of 2 deliveries" in err


def moments(value: Any) -> list[str]:
    """Return the texts in a JSON value that are moments, in whatever form."""
    if isinstance(value, dict):
        return [found for one in value.values() for found in moments(one)]
    if isinstance(value, list):
        return [found for one in value for found in moments(one)]
    return [value] if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", value) else []


def test_json_has_moments_in_one_form(call: Call, ready: Path, relay: SmtpServer) -> None:
    relay.answer("RCPT", "451 4.7.1 greylisted", address="bob@lab.example")
    call("run", *DAY)
    call("suppressions", "add", "gone@lab.example")
    commands = ("status", "issues list", "issues show --list daily", "deliveries list", "suppressions list")
    found = [each for command in commands for each in moments(json.loads(call(*command.split(), "--json")[1]))]
    assert len(found) > len(commands)
    assert [each for each in found if not ISO.fullmatch(each)] == []
    assert all(datetime.fromisoformat(each).utcoffset() is not None for each in found)


def test_json_is_an_array_and_for_one_list_that_is_named_an_object(call: Call, ready: Path) -> None:
    for command in ("collect", "lint"):
        (one,) = json.loads(call(command, *DAY, "--json")[1])
        named = json.loads(call(command, *DAY, "--list", "daily", "--json")[1])
        assert one["list"] == named["list"] == "daily"


@pytest.mark.parametrize(
    "command",
    [
        "deliveries list",
        "deliveries retry",
        "deliveries release",
        "issues list",
        "issues show",
        "suppressions list",
        "suppressions export",
        "suppressions export --json",
    ],
)
def test_a_list_that_is_not_there_is_no_empty_answer(call: Call, ready: Path, command: str) -> None:
    code, out, err = call(*command.split(), "--list", "dayly")
    assert (code, out) == (2, "")
    assert "there is no list 'dayly'; there are: daily" in err


def test_files_on_stdout_are_utf8_whatever_a_terminal_would_show(
    call: Call, ready: Path, relay: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (ready / "subscribers" / "daily.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[subscribers]]\nemail = "zo\u00eb@lab.example"\n')
    call("run", *DAY)
    call("suppressions", "add", "zo\u00eb@lab.example")
    for command in ("subscribers export", "suppressions export", "deliveries list --csv"):
        with open(1, "wb", closefd=False) as stdout:
            monkeypatch.setattr(sys, "stdout", TextIOWrapper(stdout, encoding="ascii"))
            code, out, err = call(*command.split())
        assert (code, "zo\u00eb@lab.example" in out) == (0, True), err


def test_a_file_whose_name_has_no_day_is_named_once(call: Call, ready: Path) -> None:
    lists = ready / "subscribers"
    (lists / "daily.toml").write_text(LIST.replace("jsonl:papers-*.jsonl", "saved_page:*.txt") + READER)
    (lists / "mine.txt").write_text("A title\n")
    (lists / "page-2026-03-12.txt").write_text(f"A title of a paper\n{'An abstract. ' * 30}\n")
    code, out, err = call("run", "--dry-run", *DAY)
    assert code == 0, err
    assert err.count("mine.txt") == 1
    assert "1 could not be read, see the warnings" in out

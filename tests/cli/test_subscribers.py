"""`subscribers`: an operator sees what files would change, applies it, and looks after single readers."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import LIST, Call


def name(folder: Path, *people: str) -> None:
    """Write the list's file anew, so that it names these people."""
    tables = "".join(f'\n[[subscribers]]\nemail = "{each}@lab.example"\n' for each in people)
    (folder / "subscribers" / "daily.toml").write_text(LIST + tables)


def done(call: Call, *words: str) -> str:
    code, out, err = call("subscribers", *words)
    assert (code, err) == (0, "")
    return out


def parsed(call: Call, *words: str) -> Any:
    return json.loads(done(call, *words, "--json"))


def test_a_plan_is_shown_and_applied_and_then_there_is_nothing_to_do(call: Call, folder: Path) -> None:
    name(folder, "ann", "bob")
    assert done(call, "plan").splitlines() == [
        "daily: 2 add, 0 as they are",
        "change  address          why",
        "add     ann@lab.example  new in the files",
        "add     bob@lab.example  new in the files",
    ]
    assert done(call, "apply") == "daily: 2 added, 0 as they are\n"
    assert done(call, "plan") == "daily: nothing to do, 2 as they are\n"
    assert parsed(call, "apply") == [
        {"list": "daily", "added": 0, "changed": 0, "reactivated": 0, "removed": 0, "unchanged": 2}
    ]


def test_rows_that_are_left_out_are_counted(call: Call, folder: Path) -> None:
    name(folder, "ann", "bob", "cid")
    assert done(call, "plan", "--limit", "2").splitlines()[-1] == "2 of 3 people; --limit 3 shows all"
    done(call, "apply")
    assert done(call, "list", "--limit", "1").splitlines()[-1] == "1 of 3 subscribers; --limit 3 shows all"


def test_who_was_taken_off_stays_off_until_the_operator_says_otherwise(call: Call, folder: Path) -> None:
    name(folder, "ann", "bob")
    done(call, "apply")
    assert (
        done(call, "remove", "Ann@lab.example", "--list", "daily")
        == "Ann@lab.example gets no more mail of daily\n"
    )
    [plan] = parsed(call, "plan")
    [change] = plan["changes"]
    assert (plan["staying_out"], change["address"], change["change"]) == (1, "ann@lab.example", "stays out")
    assert change["why"].startswith("removed by the operator 20")

    code, out, err = call("subscribers", "add", "ann@lab.example", "--list", "daily")
    assert (code, out) == (2, "")
    assert "`newsletter suppressions remove ann@lab.example` undoes that, with --list daily" in err
    assert call("suppressions", "remove", "ann@lab.example", "--list", "daily")[0] == 0
    assert {one["address"]: one["status"] for one in parsed(call, "list")} == {
        "ann@lab.example": "active",
        "bob@lab.example": "active",
    }


def test_who_is_added_by_command_is_not_the_files_to_remove(call: Call, folder: Path) -> None:
    name(folder, "ann")
    done(call, "apply")
    done(call, "add", "cleo@lab.example", "-l", "daily", "--name", "Cleo")
    name(folder)
    assert done(call, "apply") == "daily: 1 removed, 0 as they are\n"
    assert parsed(call, "add", "cleo@lab.example", "-l", "daily") == {"added": False}
    known = {one["address"]: (one["status"], one["origin"]) for one in parsed(call, "list")}
    assert known == {"ann@lab.example": ("removed", "file"), "cleo@lab.example": ("active", "command")}
    assert [one["address"] for one in parsed(call, "list", "--status", "removed")] == ["ann@lab.example"]


def test_all_that_is_known_of_a_person_is_shown(call: Call, folder: Path) -> None:
    name(folder, "ann")
    done(call, "apply")
    done(call, "remove", "ann@lab.example", "-l", "daily")
    shown = parsed(call, "show", "ANN@lab.example")
    assert [one["status"] for one in shown["lists"]] == ["unsubscribed"]
    assert [one["reason"] for one in shown["suppressions"]] == ["removed by the operator"]
    assert "  status: unsubscribed" in done(call, "show", "ann@lab.example").splitlines()


def test_a_person_is_erased_and_the_files_that_still_name_them_are_told(call: Call, folder: Path) -> None:
    name(folder, "ann", "bob")
    done(call, "apply")
    assert call("subscribers", "erase", "ann@lab.example")[0] == 2  # nobody is there to be asked

    code, out, err = call("subscribers", "erase", "Ann@lab.example", "--yes")
    assert (code, out) == (0, "Ann@lab.example is erased: 1 of subscribers\n")
    assert err == "warning: subscribers/daily.toml still names Ann@lab.example: remove it there\n"
    assert [one["address"] for one in parsed(call, "list")] == ["bob@lab.example"]
    shown = parsed(call, "show", "ann@lab.example")
    assert (shown["lists"], shown["deliveries"], bool(shown["erased"])) == ([], [], True)

    [plan] = parsed(call, "plan")
    [change] = plan["changes"]
    assert (plan["unchanged"], change["change"], change["address"]) == (2, "stays out", "ann@lab.example")
    assert change["why"].startswith("erased 20")
    name(folder, "ann", "bob", "cid")
    assert done(call, "apply") == "daily: 1 added, 2 as they are\n"
    again = json.loads(call("subscribers", "erase", "ann@lab.example", "--yes", "--json")[1])
    assert (again["erased"], again["since"], again["named_in"]) == (
        False,
        shown["erased"],
        ["subscribers/daily.toml"],
    )
    assert call("suppressions", "remove", "ann@lab.example")[0] == 0
    assert done(call, "apply") == "daily: 1 added, 2 as they are\n"


def test_who_stays_out_is_said_when_lists_are_checked(call: Call, folder: Path) -> None:
    name(folder, "ann", "bob")
    assert call("lists", "check")[1] == "daily: fine, 2 subscribers\n"
    assert not (folder / "var" / "newsletter.db").exists()
    done(call, "apply")
    done(call, "remove", "ann@lab.example", "-l", "daily")
    first, heading, row = call("lists", "check")[1].splitlines()
    assert first == "daily: fine, 2 subscribers, of whom 1 stays out"
    assert heading.split() == ["list", "stays", "out", "why"]
    assert row.startswith("daily  ann@lab.example  removed by the operator 20")
    checked = json.loads(call("lists", "check", "--json")[1])
    assert checked["staying_out"]["daily"]["number"] == 1
    assert [one["address"] for one in checked["staying_out"]["daily"]["people"]] == ["ann@lab.example"]


def test_nobody_is_erased_of_whom_nothing_is_known(call: Call, folder: Path) -> None:
    name(folder, "ann")
    assert call("subscribers", "erase", "amn@lab.example", "--yes")[0] == 2
    assert done(call, "apply") == "daily: 1 added, 0 as they are\n"


def test_all_that_is_known_of_a_person_is_exported_as_it_is_shown(call: Call, folder: Path) -> None:
    name(folder, "ann")
    done(call, "apply")
    exported = json.loads(done(call, "export", "--subscriber", "ANN@lab.example"))
    assert exported == parsed(call, "show", "ann@lab.example") | {"address": "ANN@lab.example"}
    assert call("subscribers", "export", "--subscriber", "ann@lab.example", "--list", "daily")[0] == 2


def test_a_whole_domain_is_suppressed_and_said_of_each_who_stays_out(call: Call, folder: Path) -> None:
    name(folder, "ann")
    done(call, "apply")
    code, out, _ = call("suppressions", "add", "@LAB.example", "--reason", "they asked", "--evidence", "ticket 7")
    assert (code, out) == (0, "1 suppressed, 0 known already\n")
    [one] = json.loads(call("suppressions", "list", "--json")[1])
    assert (one["address"], one["by"], one["evidence"]) == ("@lab.example", "operator", "ticket 7")
    [change] = parsed(call, "plan")[0]["changes"]
    assert change["why"].startswith("@lab.example: they asked 20")
    assert parsed(call, "list")[0]["no_mail_because"] == change["why"]
    assert parsed(call, "show", "ann@lab.example")["suppressions"][0]["address"] == "@lab.example"
    code, _, err = call("subscribers", "add", "bob@lab.example", "-l", "daily")
    assert (code, "`newsletter suppressions remove @lab.example` undoes that" in err) == (2, True)

    call("suppressions", "export", "-o", "stop.csv")
    assert json.loads(call("suppressions", "export", "--json")[1]) == [one]
    assert call("suppressions", "remove", "@lab.example")[0] == 0
    assert done(call, "plan") == "daily: nothing to do, 1 as they are\n"
    assert call("suppressions", "import", "stop.csv")[1] == "1 suppressed, 0 known already\n"
    assert json.loads(call("suppressions", "list", "--json")[1]) == [one]
    assert call("suppressions", "add", "@nowhere")[0] == 2


def test_suppressions_and_slow_downs_show_times_in_the_zone_of_the_lists_and_name_it(
    call: Call, folder: Path
) -> None:
    path = folder / "subscribers" / "daily.toml"
    path.write_text(f'timezone = "Asia/Tokyo"\n{path.read_text()}')
    call("suppressions", "add", "ann@lab.example")
    [entry] = json.loads(call("suppressions", "list", "--json")[1])
    since = datetime.fromisoformat(entry["since"])

    def shown(zone: str, *words: str) -> bool:
        out = call("suppressions", "list", *words)[1]
        return f"since ({zone})" in out and f"{since.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" in out

    assert shown("Asia/Tokyo")
    (folder / "subscribers" / "other.toml").write_text(f'timezone = "Europe/Rome"\n{LIST}')
    assert shown("UTC")
    assert shown("Asia/Tokyo", "--list", "daily")
    shutil.rmtree(folder / "subscribers")
    assert shown("UTC")


@pytest.mark.parametrize("words", [("show", "no@lab.example"), ("add", "no address", "-l", "daily")])
def test_a_person_who_is_not_there_and_an_address_that_is_none_are_wrong_usage(
    call: Call, folder: Path, words: tuple[str, ...]
) -> None:
    name(folder, "ann")
    code, out, err = call("subscribers", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_many_readers_are_removed_only_where_the_operator_says_so(call: Call, folder: Path) -> None:
    name(folder, *"abcdefgh")
    done(call, "apply")
    name(folder, *"abcde")
    for command in ("subscribers apply", "run"):
        code, _, err = call(*command.split())
        assert code == 78
        assert "daily.toml:1: names 3 of 8 readers no longer" in err
    assert "not applied: they name 3 of 8 readers no longer" in call("status")[1]
    assert done(call, "apply", "--allow-mass-removal") == "daily: 3 removed, 5 as they are\n"


def test_files_are_left_alone_where_a_command_is_to_apply_them(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_LISTS__APPLY", "by_command")
    name(folder, "ann")
    _, _, err = call("run")
    assert "newsletter subscribers plan" in err
    assert parsed(call, "list") == []
    done(call, "apply")
    assert [one["address"] for one in parsed(call, "list")] == ["ann@lab.example"]


def test_readers_are_exported_without_a_formula_for_a_spreadsheet(call: Call, folder: Path) -> None:
    name(folder, "ann")
    done(call, "apply")
    done(call, "add", "bob@lab.example", "-l", "daily", "--name", "=1+1")
    printed = done(call, "export")
    header, ann, bob = csv.DictReader(printed.splitlines()), *csv.DictReader(printed.splitlines())
    assert header.fieldnames
    assert header.fieldnames[:3] == ["list", "address", "name"]
    assert (ann["address"], ann["origin"], bob["name"]) == ("ann@lab.example", "file", "'=1+1")
    done(call, "export", "-o", "readers.csv")
    assert (folder / "readers.csv").read_text() == printed
    assert (folder / "readers.csv").stat().st_mode & 0o777 == 0o600
    assert call("subscribers", "export", "-o", "subscribers")[0] == 2


def test_an_export_of_another_program_is_imported_with_one_command(call: Call, folder: Path) -> None:
    (folder / "old.csv").write_text(
        "Email Address,First Name,RATING,UNSUB_TIME\nann@lab.example,Ann,2,\nbob@lab.example,Bob,2,2024-01-01\n"
    )
    words = ("import", "old.csv", "--list", "daily", "--skip-unknown")
    assert done(call, *words, "--dry-run").splitlines()[-1] == "would be 1 added, 1 suppressed"
    assert parsed(call, "list") == []
    assert done(call, *words).splitlines() == [
        "line  address          what        why",
        "3     bob@lab.example  suppressed  unsubscribed",
        "1 added, 1 suppressed",
    ]
    assert parsed(call, *words)["known"] == 1
    [ann] = parsed(call, "list")
    assert (ann["name"], ann["origin"]) == ("Ann", "import")


def test_nothing_is_imported_if_a_row_is_wrong(call: Call, folder: Path) -> None:
    (folder / "old.csv").write_text("email\nann@lab.example\nno address\n")
    code, out, err = call("subscribers", "import", "old.csv", "--list", "daily")
    assert (code, out) == (1, "")
    assert "old.csv:3: 'no address' is not a mail address" in err
    assert parsed(call, "list") == []


def test_days_and_languages_are_imported_shown_and_exported(call: Call, folder: Path) -> None:
    old = folder / "old.csv"
    old.write_text("email,days,language\nann@lab.example,mon;thu,pt-BR\n")
    done(call, "import", "old.csv", "--list", "daily")
    [ann] = parsed(call, "list")
    assert (ann["days"], ann["language"]) == (["mon", "thu"], "pt")
    assert (ann["paused_until"], ann["own_wishes_since"]) == (None, None)
    [row] = csv.DictReader(done(call, "export").splitlines())
    assert (row["days"], row["language"]) == ("mon;thu", "pt")
    assert "  days: mon, thu" in done(call, "show", "ann@lab.example").splitlines()

    for cells, mistake in (("sun,", "days: mon, tue"), (",xx", "there are no words in 'xx'")):
        old.write_text(f"email,days,language\nbob@lab.example,{cells}\n")
        code, _, err = call("subscribers", "import", "old.csv", "--list", "daily")
        assert (code, "old.csv:2: " in err, mistake in err) == (1, True, True)


def test_what_is_known_of_a_person_has_the_times_of_the_list(call: Call, folder: Path) -> None:
    name(folder, "ann")
    lists = folder / "subscribers"
    (lists / "daily.toml").write_text('timezone = "Asia/Tokyo"\n' + (lists / "daily.toml").read_text())
    done(call, "apply")
    done(call, "remove", "ann@lab.example", "-l", "daily")
    assert call("suppressions", "add", "ann@lab.example")[0] == 0
    person = parsed(call, "show", "ann@lab.example")
    here = {
        one["list"]: datetime.fromisoformat(one["since"]).astimezone(
            ZoneInfo("Asia/Tokyo" if one["list"] else "UTC")
        )
        for one in person["suppressions"]
    }
    shown = done(call, "show", "ann@lab.example")
    assert "on daily (times in Asia/Tokyo):\n" in shown
    since = datetime.fromisoformat(person["lists"][0]["since"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"  since: {since:%F %R}\n" in shown
    assert "suppressions (each time as its list has it, else in UTC):\n" in shown
    assert all(f"{moment:%F %R}" in shown for moment in here.values())

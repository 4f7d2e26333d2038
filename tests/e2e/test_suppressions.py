"""Addresses that are never mailed, and providers that call their readers' addresses dead by mistake."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_run import PAGE, save_page
from tests.e2e.workplace import Done, Workplace
from tests.smtp_server import SmtpServer

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)
TITLES = ["Hashing by Hand", "Searching by Luck", "Trees in Winter", "Graphs at Sea"]
DEAD = "550 5.1.1 no such user"


@pytest.fixture
async def server(workplace: Workplace) -> AsyncIterator[SmtpServer]:
    """Give a relay, and a list with readers of two providers."""
    readers = [
        *(f"reader{n}@wobbly.example.org" for n in range(6)),
        *(f"reader{n}@firm.example.org" for n in range(6)),
    ]
    workplace.list_file(
        ["saved_page:../page-*.txt"], more="".join(f'\n[[subscribers]]\nemail = "{one}"\n' for one in readers)
    )
    async with SmtpServer() as server:
        workplace.port = server.port
        yield server


async def issue(workplace: Workplace, day: int) -> Done:
    """Make the issue of a day of the week, with papers of its own."""
    at = MONDAY + timedelta(days=day)
    workplace.set_clock(at)
    save_page(workplace, f"{at:%Y-%m-%d}", PAGE.replace("Sorting by Patience", TITLES[day]))
    return await workplace.run("run", "--date", f"{at:%Y-%m-%d}", "--json")


def call_dead(server: SmtpServer, domain: str, count: int = 6) -> None:
    for number in range(count):
        server.answer("RCPT", DEAD, address=f"reader{number}@{domain}")


async def listed(workplace: Workplace, *options: str) -> dict[str, bool]:
    """Return who is suppressed (False) or held (True)."""
    done = await workplace.run("suppressions", "list", "--json", *options)
    return {one["address"]: one["held"] for one in done.json}


async def test_one_day_of_false_answers_throws_nobody_out(workplace: Workplace, server: SmtpServer) -> None:
    assert (await issue(workplace, 0)).json["deliveries"]["sent"] == 13
    call_dead(server, "wobbly.example.org")

    bad_day = await issue(workplace, 1)

    assert (bad_day.code, bad_day.json["deliveries"]["refused"]) == (0, 6)
    if workplace.cluster_url is None:  # else a worker logs it
        assert "dead_addresses_held" in bad_day.err
        assert "wobbly.example.org" in bad_day.err
    assert set((await listed(workplace)).values()) == {True}
    assert set(await listed(workplace, "--held")) == {f"reader{n}@wobbly.example.org" for n in range(6)}
    [row] = (await workplace.run("status", "--json")).json
    assert row["held"] == 6
    assert "6 addresses of wobbly.example.org are held" in (await workplace.run("status")).out

    server.works_again()
    assert (await issue(workplace, 2)).json["deliveries"]["sent"] == 13
    assert await listed(workplace) == {}


async def test_who_is_called_dead_again_on_another_day_is_suppressed(
    workplace: Workplace, server: SmtpServer
) -> None:
    await issue(workplace, 0)
    call_dead(server, "wobbly.example.org")
    await issue(workplace, 1)
    server.works_again()
    call_dead(server, "wobbly.example.org", 2)

    again = await issue(workplace, 2)

    assert (again.json["deliveries"]["sent"], again.json["deliveries"]["refused"]) == (11, 2)
    assert await listed(workplace) == {f"reader{n}@wobbly.example.org": False for n in range(2)}
    assert (await issue(workplace, 3)).json["deliveries"]["suppressed"] == 2


async def test_the_operator_lifts_or_confirms_what_is_held(workplace: Workplace, server: SmtpServer) -> None:
    await issue(workplace, 0)
    call_dead(server, "wobbly.example.org")
    await issue(workplace, 1)

    await workplace.run("suppressions", "add", "reader0@wobbly.example.org")
    assert (await listed(workplace))["reader0@wobbly.example.org"] is False
    lifted = await workplace.run("suppressions", "remove", "--domain", "WOBBLY.example.org", "--json")
    assert lifted.json == {"removed": 5}
    assert await listed(workplace) == {"reader0@wobbly.example.org": False}
    none_left = await workplace.run("suppressions", "remove", "--domain", "wobbly.example.org")
    assert (none_left.code, len(none_left.complaints)) == (2, 1)


@pytest.mark.parametrize("dead", [1, 2])
async def test_few_dead_addresses_are_suppressed_at_once(
    workplace: Workplace, server: SmtpServer, dead: int
) -> None:
    await issue(workplace, 0)
    call_dead(server, "wobbly.example.org", dead)
    await issue(workplace, 1)

    assert list((await listed(workplace)).values()) == [False] * dead


async def test_addresses_that_never_got_mail_are_suppressed_however_many_are_dead(
    workplace: Workplace, server: SmtpServer
) -> None:
    call_dead(server, "wobbly.example.org")
    await issue(workplace, 0)

    assert list((await listed(workplace)).values()) == [False] * 6


async def test_suppressed_by_hand_and_mailed_again_by_hand(workplace: Workplace, server: SmtpServer) -> None:
    added = await workplace.run("suppressions", "add", "ANN@example.org", "reader1@firm.example.org", "--json")
    assert added.json == {"added": 2, "known": 0}
    again = await workplace.run("suppressions", "add", "ann@example.org", "--json")
    assert again.json == {"added": 0, "known": 1}
    assert (await issue(workplace, 0)).json["deliveries"]["suppressed"] == 2

    removed = await workplace.run("suppressions", "remove", "Ann@example.org", "--json")
    assert removed.json == {"removed": 1}
    assert (await issue(workplace, 1)).json["deliveries"]["suppressed"] == 1
    assert "ann@example.org" in server.copies()


async def test_a_suppression_of_one_list_is_lifted_by_its_name_alone(
    workplace: Workplace, server: SmtpServer
) -> None:
    await workplace.run("suppressions", "add", "ann@example.org", "--list", "daily", "--reason", "asked by phone")
    refused = await workplace.run("suppressions", "remove", "ann@example.org")
    assert (refused.code, len(refused.complaints)) == (2, 1)
    assert "--list daily" in refused.complaints[0]
    unknown = await workplace.run("suppressions", "add", "ann@example.org", "--list", "dialy")
    assert unknown.code == 2
    shown = (await workplace.run("suppressions", "list")).out
    assert "asked by phone" in shown
    assert (await workplace.run("suppressions", "remove", "ann@example.org", "--list", "daily")).code == 0
    assert (await issue(workplace, 0)).json["deliveries"]["suppressed"] == 0


async def test_lifting_several_changes_nothing_if_one_of_them_is_not_suppressed(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    await workplace.run("suppressions", "add", "ann@example.org")
    done = await workplace.run("suppressions", "remove", "ann@example.org", "bob@example.org")
    assert (done.code, len(done.complaints)) == (2, 1)
    assert await listed(workplace) == {"ann@example.org": False}
    assert (await workplace.run("suppressions", "add", "ann@")).code == 2


async def test_an_export_is_imported_elsewhere_as_it_was_and_holds_no_formulas(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    await workplace.run("suppressions", "add", "+ann@example.org", "--reason", "=cmd|' /C calc'!A0")
    await workplace.run("suppressions", "add", "'=bob@example.org", "--reason", "'-1")
    await workplace.run(
        "suppressions", "add", "ann@example.org", "--list", "daily", "--reason", 'said "no", twice'
    )
    exported = await workplace.run("suppressions", "export")
    for row in csv.DictReader(io.StringIO(exported.out)):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    before = (await workplace.run("suppressions", "list", "--json")).json
    assert (await workplace.run("suppressions", "export", "-o", "stop.csv")).code == 0
    assert (workplace.folder / "stop.csv").stat().st_mode & 0o777 == 0o600

    workplace.environment["NEWSLETTER_DATABASE__URL"] = "sqlite:///var/other.db"
    assert (await workplace.run("suppressions", "import", "stop.csv", "--json")).json == {"added": 3, "known": 0}
    assert (await workplace.run("suppressions", "list", "--json")).json == before
    assert (await workplace.run("suppressions", "import", "stop.csv", "--json")).json == {"added": 0, "known": 3}


async def test_an_import_with_mistakes_names_each_by_line_and_applies_nothing(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    (workplace.folder / "stop.csv").write_text(
        "address,list,reason,since\n"
        "ann@example.org,,left,\n"
        "nobody,,,\n"
        "bob@example.org,Daily News,,\n"
        "cat@example.org,,,yesterday\n"
        "dan@example.org,,\n"
    )
    done = await workplace.run("suppressions", "import", "stop.csv")
    assert done.code == 1
    assert [line.split(": ")[0] for line in done.err.splitlines()] == [f"stop.csv:{n}" for n in (3, 4, 5, 6)]
    assert await listed(workplace) == {}


async def test_lists_of_other_programs_are_imported(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    (workplace.folder / "stop.csv").write_bytes(
        b"\xef\xbb\xbfEmail;Reason\r\nann@example.org;spam complaint\r\n\r\n"
    )
    assert (await workplace.run("suppressions", "import", "stop.csv", "--json")).json == {"added": 1, "known": 0}
    assert (await workplace.run("suppressions", "list", "--json")).json[0]["reason"] == "spam complaint"

"""What the operator does about deliveries that hang."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.test_serve import served, until
from tests.e2e.workplace import Workplace

pytestmark = pytest.mark.without_workers

THURSDAY = datetime(2026, 3, 12, 8, 30, tzinfo=UTC)
LONG_AFTER = THURSDAY + timedelta(days=5)


def as_if_it_were(workplace: Workplace, state: str, **values: object) -> None:
    """Put the one delivery into a state that only a crash or a slow relay leads to."""
    with closing(sqlite3.connect(workplace.folder / "var" / "newsletter.db")) as ledger, ledger:
        ledger.execute("update deliveries set state = ?, text = ?", (state, values.get("text", "")))


async def test_a_held_delivery_is_released_and_sent_under_the_same_message_id(workplace: Workplace) -> None:
    workplace.environment["NEWSLETTER_DELIVERY__UNCERTAIN"] = "hold"
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    await workplace.run("run", "--date", "2026-03-12")
    as_if_it_were(workplace, "uncertain")
    held = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert (held.code, held.json["status"], held.json["deliveries"]["uncertain"]) == (75, "partial", 1)
    released = await workplace.run("deliveries", "release", "--list", "daily", "--json")
    assert released.json == {"deliveries": 1}
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"
    first, second = workplace.mails()
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_held_delivery_that_arrived_is_counted_as_sent(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    await workplace.run("run", "--date", "2026-03-12")
    as_if_it_were(workplace, "uncertain")
    assert "1 delivery" in (await workplace.run("deliveries", "release", "--as-sent")).out
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["deliveries"]["sent"] == 1
    assert len(workplace.mails()) == 1


async def test_a_relay_that_said_later_is_asked_again_when_the_operator_wants(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    folder = workplace.inbox / "tmp"
    folder.rmdir()  # the inbox cannot store it: 451
    deferred = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert (deferred.code, deferred.json["deliveries"]["deferred"]) == (75, 1)
    folder.mkdir()
    assert (await workplace.run("deliveries", "retry", "--json")).json == {"deliveries": 1}
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"


async def test_the_export_holds_no_formulas(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    await workplace.run("run", "--date", "2026-03-12")
    as_if_it_were(workplace, "refused", text="=cmd|' /C calc'!A0")
    exported = await workplace.run("deliveries", "list", "--csv", "--state", "refused")
    (row,) = csv.DictReader(io.StringIO(exported.out))
    assert row["email"] == "ann@example.org"
    assert row["text"] == "'=cmd|' /C calc'!A0"


async def test_an_old_delivery_that_the_operator_wants_retried_is_sent_and_not_withdrawn_as_late(
    workplace: Workplace,
) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    workplace.set_clock(THURSDAY)
    folder = workplace.inbox / "tmp"
    folder.rmdir()  # the inbox cannot store it: 451
    assert (await workplace.run("run", "--json")).json["deliveries"]["deferred"] == 1
    workplace.set_clock(LONG_AFTER)
    assert (await workplace.run("deliveries", "retry", "--json")).json == {"deliveries": 1}
    again = await workplace.run("run", "--json")
    assert again.json["deliveries"] | {"deferred": 0} == dict.fromkeys(again.json["deliveries"], 0)
    folder.mkdir()
    async with served(workplace):
        workplace.set_clock(LONG_AFTER + timedelta(hours=1))
        await until(lambda: len(workplace.mails()) == 1)


async def test_an_old_delivery_that_the_operator_releases_is_sent_and_not_withdrawn_as_late(
    workplace: Workplace,
) -> None:
    workplace.environment["NEWSLETTER_DELIVERY__UNCERTAIN"] = "hold"
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    workplace.set_clock(THURSDAY)
    await workplace.run("run")
    as_if_it_were(workplace, "uncertain")
    workplace.set_clock(LONG_AFTER)
    async with served(workplace):
        assert (await workplace.run("deliveries", "release", "--json")).json == {"deliveries": 1}
        await until(lambda: len(workplace.mails()) == 2)
    first, second = workplace.mails()
    assert first["Message-ID"] == second["Message-ID"]

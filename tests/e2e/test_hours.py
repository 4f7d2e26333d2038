"""A list whose mail may leave only at some hours, by a clock that the test sets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.test_serve import served, until
from tests.e2e.workplace import Workplace
from tests.smtp_server import SmtpServer

THURSDAY = datetime(2026, 3, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READERS = 100


def list_with_hours(workplace: Workplace, *, readers: int = 1) -> None:
    """Write a list that comes out at five, and may send from seven to nine in the evening."""
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(1, readers))
    workplace.list_file(["saved_page:../page-*.txt"], hour="05:00", more=more)
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text('hours = "07:00-21:00"\n' + path.read_text())
    save_page(workplace)


async def test_a_run_before_the_hours_makes_the_issue_and_says_till_when_it_waits(workplace: Workplace) -> None:
    list_with_hours(workplace)
    workplace.set_clock(THURSDAY + 6 * HOUR)
    early = await workplace.run("run")
    assert early.code == 0, early.err
    assert early.out.splitlines()[0] == (
        "daily 2026-03-12: not_due (waits until 07:00 on 2026-03-12, UTC: the list's hours are 07:00-21:00)"
    )
    assert workplace.mails() == []
    workplace.set_clock(THURSDAY + 7 * HOUR)
    assert (await workplace.run("run", "--json")).json["status"] == "sent"
    assert len(workplace.mails()) == 1


async def test_a_run_that_meets_the_end_of_the_hours_finishes_what_is_in_flight_and_the_next_one_the_rest(
    workplace: Workplace,
) -> None:
    list_with_hours(workplace, readers=READERS)
    async with SmtpServer(delay=0.1) as server:
        workplace.port = server.port
        workplace.environment["NEWSLETTER_SMTP__CONNECTIONS"] = "2"
        workplace.set_clock(THURSDAY + 8 * HOUR)
        process = await workplace.start("run", "--json")
        await server.until(5)
        workplace.set_clock(THURSDAY + 21 * HOUR)
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert b'"status": "not_due"' in out
        assert b"waits until 07:00 on 2026-03-13" in out
        sent = len(server.received)
        assert 5 <= sent < READERS
        night = await workplace.run("run", "--json")
        assert night.json["deliveries"] | {"queued": 0, "sent": 0} == dict.fromkeys(night.json["deliveries"], 0)
        assert (night.json["deliveries"]["sent"], len(server.received)) == (sent, sent)
        (standing,) = (await workplace.run("status", "--json")).json
        assert datetime.fromisoformat(standing["waits_until"]) == THURSDAY + DAY + 7 * HOUR
        assert "wait until 2026-03-13 07:00" in (await workplace.run("status")).out
        workplace.set_clock(THURSDAY + DAY + 7 * HOUR)
        await workplace.run("run", "--json")
        assert len(server.copies()) == server.copies().total() == READERS


async def test_serve_goes_on_at_the_opening_by_itself(workplace: Workplace) -> None:
    list_with_hours(workplace)
    workplace.set_clock(THURSDAY + 6 * HOUR)
    async with served(workplace):
        await asyncio.sleep(2.5)  # two ticks
        assert workplace.mails() == []
        workplace.set_clock(THURSDAY + 7 * HOUR)
        await until(lambda: len(workplace.mails()) == 1)


@pytest.mark.by_workers
async def test_who_names_the_day_is_not_kept_waiting(workplace: Workplace) -> None:
    list_with_hours(workplace)
    workplace.set_clock(THURSDAY + 3 * HOUR)
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"
    assert len(workplace.mails()) == 1

"""The clock of the machine jumps, between runs and during one: nobody is lost, and nobody gets two copies."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_run import PAGE, save_page
from tests.e2e.test_serve import served, until
from tests.e2e.workplace import Workplace
from tests.smtp_server import SmtpServer

NOW = datetime(2026, 3, 12, 8, 30, tzinfo=UTC)  # half an hour after the list's hour
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READERS = 60
RUN = ("run", "--json")

jumps = pytest.mark.parametrize(
    "jump", [pytest.param(DAY, id="a day forward"), pytest.param(-HOUR, id="an hour back")]
)


@pytest.fixture
async def server(workplace: Workplace) -> AsyncIterator[SmtpServer]:
    """Give a relay that takes its time, and a list with some readers that is due."""
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(1, READERS))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    workplace.environment |= {"NEWSLETTER_SMTP__CONNECTIONS": "2", "NEWSLETTER_DELIVERY__BATCH": "10"}
    workplace.set_clock(NOW)
    async with SmtpServer(delay=0.05) as server:
        workplace.port = server.port
        yield server


async def finished(workplace: Workplace, server: SmtpServer, *, in_flight: int = 0) -> None:
    """See that everybody has a copy, and nobody two but those whose message was in flight."""
    done = await workplace.run("issues", "list", "--json")
    assert [issue["deliveries"] for issue in done.json] == [{"sent": READERS}]
    assert len(server.copies()) == READERS
    assert server.copies().total() <= READERS + in_flight


@jumps
async def test_the_clock_jumps_between_a_run_that_was_killed_and_the_next(
    workplace: Workplace, server: SmtpServer, jump: timedelta
) -> None:
    process = await workplace.start(*RUN)
    await server.until(READERS // 3)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    for now in (NOW + jump, max(NOW + jump, NOW) + HOUR):
        workplace.set_clock(now)
        assert (await workplace.run(*RUN)).code == 0
    await finished(workplace, server, in_flight=2)


@jumps
async def test_the_clock_jumps_before_a_deferred_delivery_is_due_again(
    workplace: Workplace, server: SmtpServer, jump: timedelta
) -> None:
    server.answer("RCPT", "451 4.3.0 later", address="reader7@example.org", times=1)
    first = await workplace.run(*RUN)
    assert (first.code, first.json["deliveries"]["deferred"]) == (75, 1)
    workplace.set_clock(NOW + jump)
    await workplace.run(*RUN)
    assert server.copies()["reader7@example.org"] == (1 if jump > 5 * HOUR else 0)
    workplace.set_clock(max(NOW + jump, NOW) + HOUR)
    assert (await workplace.run(*RUN)).code == 0
    await finished(workplace, server)


@jumps
async def test_the_clock_jumps_in_the_middle_of_a_run(
    workplace: Workplace, server: SmtpServer, jump: timedelta
) -> None:
    process = await workplace.start(*RUN)
    await server.until(READERS // 3)
    workplace.set_clock(NOW + jump)
    done = await workplace.end(process)
    assert (done.code, done.json["status"], done.json["sent_now"]) == (0, "sent", READERS)
    await finished(workplace, server)


@jumps
async def test_serve_goes_on_when_the_clock_has_jumped(workplace: Workplace, jump: timedelta) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    workplace.set_clock(NOW)
    async with served(workplace):
        await until(lambda: len(workplace.mails()) == 1)
        workplace.set_clock(NOW + jump)
        hour = NOW + jump - HOUR
        save_page(workplace, f"{hour:%Y-%m-%d}", PAGE.replace("Patience", "Impatience"))
        workplace.list_file(["saved_page:../page-*.txt"], name="other", hour=f"{hour:%H:%M}")
        await until(lambda: of_other(workplace) > 0, seconds=20)  # not an hour, nor a day
    assert of_other(workplace) == 1


def of_other(workplace: Workplace) -> int:
    """Return how many mails of the list `other` have come."""
    return sum("other" in mail["List-Id"] for mail in workplace.mails())

"""A relay that misbehaves, as the whole program meets it: nobody is lost, and only uncertain mail comes twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace
from tests.smtp_server import CUT, DROP, HANG, SmtpServer

READERS, CONNECTIONS = 40, 2
RUN = ("run", "--date", "2026-03-12", "--json")
ODD = "reader7@example.org"
NINE = datetime(2026, 3, 12, 9, tzinfo=UTC)


@pytest.fixture
async def server(workplace: Workplace) -> AsyncIterator[SmtpServer]:
    """Give a relay, and a list with some readers."""
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(1, READERS))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    workplace.environment["NEWSLETTER_SMTP__CONNECTIONS"] = str(CONNECTIONS)
    async with SmtpServer() as server:
        workplace.port = server.port
        yield server


def twice(server: SmtpServer) -> list[str]:
    """Return who got more than one copy, after seeing that all copies of a reader bear one Message-ID."""
    ids = {
        (mail.recipient, found[1])
        for mail in server.received
        if (found := re.search(rb"^Message-ID: <(.*)>\r$", mail.content, re.MULTILINE))
    }
    assert set(Counter(recipient for recipient, _ in ids).values()) == {1}
    return [recipient for recipient, copies in server.copies().items() if copies > 1]


async def finished(workplace: Workplace, server: SmtpServer) -> None:
    """See that everybody has a copy after another run."""
    done = await workplace.run(*RUN)
    assert (done.code, done.json["status"], done.json["deliveries"]["sent"]) == (0, "sent", READERS), done.err
    assert len(server.copies()) == READERS


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        pytest.param("MESSAGE", "421 4.3.2 shutting down", id="421 for the message"),
        pytest.param("MAIL", "421 4.7.0 enough", id="421 for the sender"),
        pytest.param("DATA", "garbage", id="garbage before the message"),
        pytest.param("DATA", DROP, id="cut before the message"),
    ],
)
async def test_what_goes_wrong_before_a_message_is_taken_is_made_good_in_the_same_run(
    workplace: Workplace, server: SmtpServer, step: str, reply: str
) -> None:
    server.answer(step, reply, times=1)
    done = await workplace.run(*RUN)
    assert (done.code, done.json["deliveries"]["sent"]) == (0, READERS), done.err
    await finished(workplace, server)
    assert twice(server) == []


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        pytest.param("MESSAGE", DROP, id="cut behind the message"),
        pytest.param("MESSAGE", "garbage", id="garbage for the message"),
        pytest.param("DATA", CUT, id="cut in the message"),
    ],
)
async def test_a_message_whose_fate_is_unknown_is_left_to_the_next_run(
    workplace: Workplace, server: SmtpServer, step: str, reply: str
) -> None:
    server.answer(step, reply, address=ODD, times=1)
    done = await workplace.run(*RUN)
    assert (done.code, done.json["status"]) == (75, "partial")
    assert (done.json["deliveries"]["sent"], done.json["deliveries"]["deferred"]) == (READERS - 1, 1)
    await finished(workplace, server)
    assert set(twice(server)) <= {ODD}


async def test_a_message_that_was_taken_although_nobody_said_so_comes_twice_under_one_message_id(
    workplace: Workplace, server: SmtpServer
) -> None:
    server.answer("TAKEN", DROP, address=ODD, times=1)
    assert (await workplace.run(*RUN)).code == 75
    await finished(workplace, server)
    assert twice(server) == [ODD]


async def test_a_relay_that_takes_a_message_and_never_says_so_brings_few_copies(
    workplace: Workplace, server: SmtpServer
) -> None:
    server.answer("TAKEN", DROP, address=ODD)
    ended = [await workplace.run(*RUN) for _ in range(6)]  # each of them wants everything now
    assert {(done.code, done.json["status"]) for done in ended} == {(75, "partial")}
    assert server.copies()[ODD] == 3
    assert server.copies().total() == READERS + 2
    assert ended[-1].json["deliveries"]["uncertain"] == 1  # the operator's, from here on

    server.works_again()
    assert (await workplace.run("deliveries", "release", "--json")).json == {"deliveries": 1}
    await finished(workplace, server)


async def test_a_message_whose_fate_is_unknown_waits_like_one_that_was_put_off(
    workplace: Workplace, server: SmtpServer
) -> None:
    workplace.set_clock(NINE)
    server.answer("TAKEN", DROP, address=ODD)
    copies = []
    for minutes in (0, 1, 3, 4, 10, 60, 120):
        workplace.set_clock(NINE + timedelta(minutes=minutes))
        assert (await workplace.run("run")).code == 75
        copies.append(server.copies()[ODD])

    assert copies == [1, 1, 2, 2, 3, 3, 3]


@pytest.mark.without_workers
async def test_who_holds_gets_no_second_copy_where_the_journal_of_a_killed_process_is_damaged(
    workplace: Workplace, server: SmtpServer
) -> None:
    workplace.environment["NEWSLETTER_DELIVERY__UNCERTAIN"] = "hold"
    server.delay = 0.05
    process = await workplace.start(*RUN)
    await server.until(READERS // 4)
    process.kill()
    await process.communicate()
    [journal] = (workplace.folder / "var" / "newsletter.db.journals").glob("*.journal")
    journal.write_bytes(b"")
    server.delay = 0.0

    done = await workplace.run(*RUN)

    assert (done.code, done.json["status"]) == (75, "partial")
    assert "journal_damaged" in done.err
    assert set(server.copies().values()) == {1}
    counts = done.json["deliveries"]
    assert counts["uncertain"] >= READERS // 4
    assert counts["uncertain"] + counts["sent"] == READERS


@pytest.mark.without_workers
async def test_a_journal_that_cannot_be_read_is_said_in_one_line(workplace: Workplace, server: SmtpServer) -> None:
    server.delay = 0.05
    process = await workplace.start(*RUN)
    await server.until(READERS // 4)
    process.kill()
    await process.communicate()
    [journal] = (workplace.folder / "var" / "newsletter.db.journals").glob("*.journal")
    journal.rename(kept := workplace.folder / "kept")
    journal.mkdir()
    sent = len(server.received)

    done = await workplace.run(*RUN)
    assert done.code == 69
    assert len(done.complaints) == 1
    assert str(journal.name) in done.complaints[0]
    assert len(server.received) == sent

    journal.rmdir()
    kept.rename(journal)
    await finished(workplace, server)


@pytest.mark.without_workers
async def test_a_relay_that_hangs_holds_up_its_connection_and_not_the_end(
    workplace: Workplace, server: SmtpServer
) -> None:
    server.answer("MESSAGE", HANG, address=ODD, times=1)
    process = await workplace.start(*RUN)
    await server.until(READERS - 2)  # the next reader of that connection had been announced
    process.terminate()
    done = await workplace.end(process)
    assert (done.code, done.json["status"]) == (75, "partial"), done.err
    assert done.json["deliveries"]["sent"] >= READERS - 2
    await finished(workplace, server)
    assert twice(server) == []


async def test_a_relay_that_dies_is_named_and_the_next_run_finishes_with_another(
    workplace: Workplace, server: SmtpServer
) -> None:
    server.delay = 0.02
    process = await workplace.start(*RUN)
    await server.until(READERS // 4)
    await server.stop_listening()
    done = await workplace.end(process)
    assert (done.code, done.json["status"]) == (75, "partial")
    assert f"127.0.0.1:{server.port}" in done.json["reason"]
    async with SmtpServer() as other:
        workplace.port = other.port
        assert (await workplace.run(*RUN)).json["status"] == "sent"
        both = server.copies() + other.copies()
        assert len(both) == READERS
        assert both.total() <= READERS + CONNECTIONS  # those that it took with its last breath

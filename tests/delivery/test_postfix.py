from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.experience import Joining
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.ports import ChunkReport
from tests.delivery.fakes import FakeOutbox, delivery, message_for, reader
from tests.delivery.postfix import PASSWORD, STOP_LIST, TURNED_AWAY, USER, Postfix, postfix
from tests.delivery.services import process
from tests.smtp_server import Certificates


@pytest.fixture
async def mta(certificates: Certificates) -> AsyncIterator[Postfix]:
    async with postfix(certificates) as mta:
        yield mta


def relay(mta: Postfix, ca_file: Path, *, password: str = PASSWORD) -> SmtpRelay:
    return SmtpRelay(
        RelayConfig(
            host="localhost",
            port=mta.port,
            username=USER,
            password=password,
            ca_file=ca_file,
            ehlo_name="newsletter.example.org",
            connections=3,
        )
    )


async def test_postfix_takes_an_issue_over_starttls_with_a_login(mta: Postfix, ca_file: Path) -> None:
    outbox = FakeOutbox.of(30)
    for number, address in enumerate(TURNED_AWAY, start=31):
        outbox.rows |= FakeOutbox([delivery(number, address)]).rows

    relays = relay(mta, ca_file)
    report = await process(outbox, relays).deliver(message_for)

    assert report == ChunkReport(sent=30, refused=1, deferred=2)
    gone, full, grey = (outbox.last(number) for number in (31, 32, 33))
    assert (gone.state, gone.code, gone.suppress) == (DeliveryState.REFUSED, 550, True)
    assert (full.code, grey.code) == (452, 451)
    assert relays.joins.state is Joining.WORKS  # it takes the next envelope behind the final dot
    mails = await mta.mails(30)
    assert all(
        sum(f"\nHello {reader(number)}\n".encode() in mail for mail in mails) == 1 for number in range(1, 31)
    )


@pytest.mark.parametrize("first", [1, 40, 81])
async def test_postfix_refuses_twenty_by_an_access_map_and_eighty_have_their_mail_in_one_run(
    mta: Postfix, ca_file: Path, first: int
) -> None:
    stopped = dict(enumerate(STOP_LIST, start=first))
    outbox = FakeOutbox(delivery(number, stopped.get(number, reader(number))) for number in range(1, 101))

    report = await process(outbox, relay(mta, ca_file)).deliver(message_for)

    assert report == ChunkReport(sent=80, refused=20)
    assert {number for number in outbox.rows if outbox.state(number) is DeliveryState.REFUSED} == set(stopped)
    assert (outbox.last(first).code, outbox.last(first).suppress) == (550, False)
    mails = await mta.mails(80)
    assert len(mails) == 80
    for number in outbox.rows:
        expected = 0 if number in stopped else 1
        assert sum(f"\nHello {reader(number)}\n".encode() in mail for mail in mails) == expected


async def test_postfix_that_refuses_everybody_by_an_access_map_is_in_trouble_with_us(
    mta: Postfix, ca_file: Path
) -> None:
    outbox = FakeOutbox(delivery(number, address) for number, address in enumerate(STOP_LIST, start=1))

    report = await process(outbox, relay(mta, ca_file)).deliver(message_for)

    assert outbox.states() == {DeliveryState.QUEUED: 20}
    assert "5.7.1" in report.trouble


async def test_postfix_refuses_a_wrong_login_and_nothing_is_sent(mta: Postfix, ca_file: Path) -> None:
    with pytest.raises(RelayError, match="refuses the login: 535"):
        await relay(mta, ca_file, password="wrong").connect()

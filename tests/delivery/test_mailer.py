"""Single mails over several relays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError, RelaySetupError
from newsletter.core.relay import Security
from newsletter.delivery.mailer import RelayMailer
from newsletter.delivery.relay import rate_scope
from newsletter.ports import AskedPlaces, Mailer, Store
from tests.delivery.fakes import SENDER
from tests.delivery.ledgers import Broken
from tests.delivery.services import relay_to
from tests.smtp_server import DROP, SmtpServer

ANN = "ann@example.org"
RAW = b"From: papers@example.org\r\nTo: ann@example.org\r\n\r\nHello\r\n.dot\r\n"


@pytest.fixture
async def other() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as other:
        yield other


@pytest.fixture
def mailer(server: SmtpServer, other: SmtpServer) -> Mailer:
    return RelayMailer([relay_to(server), relay_to(other)])


async def test_a_mail_goes_to_the_first_relay_as_it_is_and_the_session_ends(
    mailer: Mailer, server: SmtpServer, other: SmtpServer
) -> None:
    outcome = await mailer.send(SENDER, ANN, RAW)

    assert (outcome.state, outcome.relay) == (DeliveryState.SENT, f"127.0.0.1:{server.port}")
    assert [(mail.sender, mail.recipient, mail.content) for mail in server.received] == [(SENDER, ANN, RAW)]
    assert server.told[-1] == "QUIT"
    assert other.connections == 0


@pytest.mark.parametrize("reply", ["451 4.3.0 later", "550 5.7.1 your IP is blocked"])
async def test_what_the_first_relay_does_not_take_the_next_one_does(
    mailer: Mailer, server: SmtpServer, other: SmtpServer, reply: str
) -> None:
    server.answer("RCPT", reply)

    with capture_logs() as logs:
        outcome = await mailer.send(SENDER, ANN, RAW)

    assert outcome.state is DeliveryState.SENT
    assert other.copies() == {ANN: 1}
    assert [(entry["event"], reply in entry["reason"]) for entry in logs] == [("mail_not_taken", True)]


async def test_a_relay_that_is_gone_is_passed_over(mailer: Mailer, server: SmtpServer, other: SmtpServer) -> None:
    await server.stop_listening()

    assert (await mailer.send(SENDER, ANN, RAW)).state is DeliveryState.SENT
    assert other.copies() == {ANN: 1}


async def test_an_address_that_does_not_exist_is_not_tried_elsewhere(
    mailer: Mailer, server: SmtpServer, other: SmtpServer
) -> None:
    server.answer("RCPT", "550 5.1.1 no such user")

    outcome = await mailer.send(SENDER, ANN, RAW)

    assert (outcome.state, outcome.code, outcome.dead_address) == (DeliveryState.REFUSED, 550, True)
    assert other.connections == 0


async def test_a_mail_whose_fate_is_unknown_is_not_sent_again(
    mailer: Mailer, server: SmtpServer, other: SmtpServer
) -> None:
    server.answer("MESSAGE", DROP)

    assert (await mailer.send(SENDER, ANN, RAW)).state is DeliveryState.UNCERTAIN
    assert other.connections == 0


async def test_a_deferral_is_the_outcome_where_no_other_relay_answers(
    mailer: Mailer, server: SmtpServer, other: SmtpServer
) -> None:
    server.answer("RCPT", "451 4.3.0 later")
    await other.stop_listening()

    outcome = await mailer.send(SENDER, ANN, RAW)

    assert (outcome.state, outcome.code) == (DeliveryState.DEFERRED, 451)


async def test_where_no_relay_can_be_used_the_error_names_each_and_the_setting_to_change(
    server: SmtpServer, other: SmtpServer
) -> None:
    relays = [relay_to(one, security=Security.STARTTLS) for one in (server, other)]

    with pytest.raises(RelaySetupError, match="NEWSLETTER_SMTP__SECURITY") as refused:
        await RelayMailer(relays).send(SENDER, ANN, RAW)

    assert all(f"127.0.0.1:{one.port} does not offer STARTTLS" in str(refused.value) for one in (server, other))


async def test_where_one_of_the_relays_may_work_again_trying_later_is_of_use(
    server: SmtpServer, other: SmtpServer
) -> None:
    await other.stop_listening()
    relays = [relay_to(server, security=Security.STARTTLS), relay_to(other)]

    with pytest.raises(RelayError) as refused:
        await RelayMailer(relays).send(SENDER, ANN, RAW)

    assert not isinstance(refused.value, RelaySetupError)


async def test_mails_take_places_in_the_rate_of_the_relay_and_wait_for_them(
    server: SmtpServer, store: Store
) -> None:
    relay = relay_to(server, rate=2.0)  # slow, so that the last place is asked for in time on a busy machine, too
    loop = asyncio.get_running_loop()
    began = loop.time()

    for _ in range(3):  # each by a process of its own
        await RelayMailer([relay], store.rates).send(SENDER, ANN, RAW)

    assert loop.time() - began >= 1.0
    assert (await store.rates.lease([AskedPlaces(rate_scope(relay), 0.5, 1)]))[rate_scope(relay)] > 0


async def test_a_mail_does_not_wait_for_long_behind_an_issue(
    server: SmtpServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.delivery.mailer._LONGEST_WAIT", 0.1)
    relay = relay_to(server, rate=1.0)
    await store.rates.lease([AskedPlaces(rate_scope(relay), 1.0, 100)])

    outcome = await asyncio.wait_for(RelayMailer([relay], store.rates).send(SENDER, ANN, RAW), 10)

    assert outcome.state is DeliveryState.SENT


async def test_a_ledger_that_fails_keeps_no_mail_back(server: SmtpServer) -> None:
    outcome = await RelayMailer([relay_to(server, rate=1.0)], Broken()).send(SENDER, ANN, RAW)

    assert outcome.state is DeliveryState.SENT

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError
from newsletter.core.relay import Security
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.settings.relays import RelaySettings
from tests.delivery.fakes import SENDER
from tests.delivery.services import relay_to, send
from tests.smtp_server import DROP, HANG, Certificates, SmtpServer

MESSAGE = b"From: papers@example.org\r\nTo: ann@example.org\r\n\r\nHello\r\n"
LOGIN = ("papers", "opensesame")


async def hand_over(relays: SmtpRelay) -> DeliveryState:
    session = await relays.connect()
    try:
        return (await send(session, SENDER, "ann@example.org", MESSAGE)).state
    finally:
        await session.close()


async def test_starttls_is_the_default_and_the_mail_goes_through_it(
    certificates: Certificates, ca_file: Path
) -> None:
    async with SmtpServer(tls=certificates, login=LOGIN) as server:
        relays = relay_to(
            server, security=Security.STARTTLS, ca_file=ca_file, username="papers", password="opensesame"
        )

        assert await hand_over(relays) is DeliveryState.SENT

        assert RelayConfig(host="relay.example.org").security is Security.STARTTLS
        assert [(mail.secured, mail.user) for mail in server.received] == [(True, "papers")]
        assert server.received[0].content == MESSAGE


async def test_tls_from_the_first_byte(certificates: Certificates, ca_file: Path) -> None:
    async with SmtpServer(tls=certificates, implicit=True) as server:
        relays = relay_to(server, security=Security.TLS, ca_file=ca_file)

        assert await hand_over(relays) is DeliveryState.SENT
        assert server.received[0].secured


async def test_where_starttls_is_missing_nothing_is_sent_in_the_clear() -> None:
    async with SmtpServer(login=LOGIN) as server:
        relays = relay_to(server, security=Security.STARTTLS, username="papers", password="opensesame")

        with pytest.raises(RelayError, match=rf"127\.0\.0\.1:{server.port} does not offer STARTTLS"):
            await hand_over(relays)

        assert server.told == []
        assert server.received == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    certificates: Certificates, security: Security
) -> None:
    async with SmtpServer(tls=certificates, implicit=security is Security.TLS) as server:
        with pytest.raises(RelayError, match="certificate"):
            await hand_over(relay_to(server, security=security))

        assert server.received == []


async def test_a_certificate_for_another_host_is_not_accepted(tmp_path: Path) -> None:
    elsewhere = Certificates("elsewhere.example.org")
    async with SmtpServer(tls=elsewhere) as server:
        with pytest.raises(RelayError, match="certificate of"):
            await hand_over(relay_to(server, security=Security.STARTTLS, ca_file=elsewhere.write(tmp_path)))

        assert server.received == []


async def test_a_login_that_is_refused_names_the_relay_and_tells_no_secret(
    certificates: Certificates, ca_file: Path
) -> None:
    async with SmtpServer(tls=certificates, login=LOGIN) as server:
        relays = relay_to(
            server, security=Security.STARTTLS, ca_file=ca_file, username="papers", password="wrongsesame"
        )

        with pytest.raises(RelayError, match="refuses the login: 535") as refused:
            await hand_over(relays)

        assert "sesame" not in str(refused.value)
        assert server.received == []


def test_all_that_is_known_of_a_relay_is_a_setting_with_the_same_default() -> None:
    settings = RelaySettings(host="relay.example.org")
    relay = RelayConfig(host="relay.example.org", password=settings.password.get_secret_value())

    of_relay = {field.name: getattr(relay, field.name) for field in fields(relay)}
    of_settings = settings.model_dump() | {"password": "", "further": None}  # the place among several relays
    elsewhere = of_settings.keys() - of_relay.keys()
    assert of_relay == {name: of_settings[name] for name in of_relay}
    assert {name for name in elsewhere if not name.startswith("oauth_")} == {
        *("kind", "region", "endpoint"),  # of relays over HTTPS
        *("per_hour", "per_day", "warm_up", "warm_up_days"),  # of quotas
    }


def test_a_password_is_not_shown_with_its_settings() -> None:
    assert "opensesame" not in repr(RelayConfig(host="relay.example.org", password="opensesame"))


@pytest.mark.parametrize("step", ["GREETING", "EHLO"])
@pytest.mark.parametrize("reply", ["421 4.7.0 too many connections", "554 go away", "garbage", DROP])
async def test_a_relay_that_turns_us_away_is_trouble(server: SmtpServer, step: str, reply: str) -> None:
    server.answer(step, reply)

    with pytest.raises(RelayError, match=rf"127\.0\.0\.1:{server.port}"):
        await relay_to(server).connect()


@pytest.mark.parametrize(
    ("step", "said"),
    [("GREETING", "timed out, no greeting within"), ("EHLO", "greets us, and is not ready for mail")],
)
async def test_a_relay_that_does_not_answer_is_trouble(server: SmtpServer, step: str, said: str) -> None:
    server.answer(step, HANG)

    with pytest.raises(RelayError, match=f"{said}.* 0.2 seconds"):
        await relay_to(server, timeout=0.2).connect()


async def test_a_relay_that_is_not_there_is_trouble(server: SmtpServer) -> None:
    await server.stop_listening()

    with pytest.raises(RelayError, match=rf"cannot connect to 127\.0\.0\.1:{server.port}"):
        await relay_to(server).connect()


async def test_certificates_that_cannot_be_read_are_named(server: SmtpServer, tmp_path: Path) -> None:
    relays = relay_to(server, security=Security.STARTTLS, ca_file=tmp_path / "none.pem")

    with pytest.raises(RelayError, match=r"none\.pem"):
        await relays.connect()


async def test_we_greet_with_the_machines_name_unless_told_another(server: SmtpServer) -> None:
    session = await relay_to(server, ehlo_name="").connect()

    await session.close()

    assert server.told == ["QUIT"]

"""Logins with access tokens: at an SMTP server, with tokens of an authorization server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError, RelaySetupError, TokenError
from newsletter.core.oauth import TokenClient
from newsletter.core.relay import Security
from newsletter.core.sasl import told_reason
from newsletter.delivery.smtp.relay import SmtpRelay
from newsletter.oauth import KeptRefreshToken, RenewedTokens
from newsletter.operations.alarms import LedgerAlarm
from newsletter.ports import Store
from newsletter.sources.http.poster import WebPoster
from newsletter.store import open_store
from tests.delivery.fakes import SENDER
from tests.delivery.services import relay_to, send
from tests.smtp_server import Certificates, SmtpServer
from tests.token_server import TokenServer, token_server

USER = "papers@example.org"
MESSAGE = b"From: papers@example.org\r\n\r\nHello\r\n"


class Clock:
    """Stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 12, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Account:
    """An account with tokens: what gives them, and what it waited for."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.clock, self.folder, self.store = Clock(), folder, store
        self.waits: list[float] = []
        self.poster = WebPoster(user_agent="test", timeout=5, public_only=False, most=65536)

    def tokens(self, client: TokenClient) -> RenewedTokens:
        async def wait(seconds: float) -> None:
            self.waits.append(seconds)

        kept = KeptRefreshToken.of(client, self.folder / "oauth")
        alarm = LedgerAlarm(self.store.alarms, (), self.clock)
        return RenewedTokens(
            client, self.poster, self.clock, kept, alarm=alarm, subject="relay.example.org:587", sleep=wait
        )

    async def alarms(self) -> list[tuple[str, str]]:
        return [(one.cause.value, one.subject) for one in await self.store.alarms.lasting()]


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path, await open_store("sqlite://"))
    yield account
    await account.poster.aclose()
    await account.store.close()


@pytest.fixture
async def issuer() -> AsyncIterator[TokenServer]:
    async with token_server() as server:
        yield server


async def hand_over(relay: SmtpRelay) -> DeliveryState:
    session = await relay.connect()
    try:
        return (await send(session, SENDER, "ann@example.org", MESSAGE)).state
    finally:
        await session.close()


async def test_many_who_ask_at_once_share_one_token_until_it_ends(issuer: TokenServer, account: Account) -> None:
    issuer.delay = 0.05
    tokens = account.tokens(issuer.client())
    assert set(await asyncio.gather(*(tokens.token() for _ in range(20)))) == {"token-1"}
    account.clock.now += timedelta(seconds=3299)
    assert await tokens.token() == "token-1"
    account.clock.now += timedelta(seconds=1)
    assert await tokens.token() == "token-2"
    assert [one["refresh_token"] for one in issuer.asked] == ["first", "first"]


async def test_a_failing_server_is_asked_again_after_growing_pauses_and_never_by_each_who_asks(
    issuer: TokenServer, account: Account
) -> None:
    tokens = account.tokens(issuer.client())
    issuer.answers = [(503, {})] * 3
    for _ in range(5):
        with pytest.raises(TokenError, match="503"):
            await tokens.token()
    assert (len(issuer.asked), account.waits) == (3, [1.0, 2.0])
    issuer.answers = [(500, {})] * 3
    account.clock.now += timedelta(seconds=15)
    with pytest.raises(TokenError, match="500"):
        await tokens.token()
    account.clock.now += timedelta(seconds=29)
    with pytest.raises(TokenError, match="500"):
        await tokens.token()
    assert await account.alarms() == []  # it may pass
    account.clock.now += timedelta(seconds=1)
    issuer.answers = [(502, {})]
    assert await tokens.token() == "token-1"


async def test_a_refresh_token_that_replaces_another_is_kept_for_the_next_process(
    issuer: TokenServer, account: Account
) -> None:
    issuer.refresh_tokens = ["second"]
    await account.tokens(issuer.client()).token()
    (kept,) = (account.folder / "oauth").iterdir()
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("second", 0o600)

    await account.tokens(issuer.client()).token()
    assert issuer.asked[-1]["refresh_token"] == "second"
    issuer.answers = [(400, {"error": "invalid_grant"})]  # … unless it has ended
    await account.tokens(issuer.client()).token()
    assert issuer.asked[-1]["refresh_token"] == "first"
    await account.tokens(issuer.client(refresh_token="of the settings")).token()
    assert issuer.asked[-1]["refresh_token"] == "of the settings"


@pytest.mark.parametrize("kinds", [("XOAUTH2",), ("OAUTHBEARER",)])
async def test_a_session_logs_in_with_a_token(
    issuer: TokenServer, account: Account, certificates: Certificates, ca_file: Path, kinds: tuple[str, ...]
) -> None:
    tokens = account.tokens(issuer.client(refresh_token=""))
    server = SmtpServer(tls=certificates, tokens={"token-1": USER}, token_logins=kinds, host="localhost")
    async with server:
        encrypted: dict[str, Any] = {"security": Security.STARTTLS, "ca_file": ca_file}
        relay = relay_to(server, tokens=tokens, username=USER, **encrypted)
        assert await hand_over(relay) is DeliveryState.SENT
    assert server.received[0].user == USER
    assert issuer.asked[0]["grant_type"] == "client_credentials"


async def test_a_token_that_is_refused_is_renewed_once(issuer: TokenServer, account: Account) -> None:
    tokens = account.tokens(issuer.client())
    async with SmtpServer(tokens={"token-2": USER}) as server:
        relay = relay_with_tokens(server, tokens)
        assert await hand_over(relay) is DeliveryState.SENT
        assert [one for one in server.told if one.startswith("LAST WORDS")] == ["LAST WORDS b''"]

        server.tokens = {}
        with pytest.raises(
            RelaySetupError, match=r"refuses the access token: 535 .*\(401\); check that .*USERNAME"
        ):
            await hand_over(relay)
    assert issuer.given == 3


async def test_why_there_is_no_token_is_said_in_one_line_without_a_secret(
    issuer: TokenServer, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    issuer.answers = [(400, {"error": "invalid_grant", "error_description": "our secret"}), *[(503, {})] * 3]
    async with SmtpServer(tokens={}) as server:
        relay = relay_with_tokens(server, account.tokens(issuer.client()))
        with pytest.raises(RelaySetupError, match=r"cannot log in to .* sign in once more") as ended:
            await hand_over(relay)
        assert await account.alarms() == [("token", "relay.example.org:587")]
        account.clock.now += timedelta(minutes=1)
        with pytest.raises(RelayError, match="503") as later:
            await hand_over(relay)
        account.clock.now += timedelta(minutes=1)
        server.tokens = {"token-1": USER}
        assert await hand_over(relay) is DeliveryState.SENT
        assert await account.alarms() == []
    assert not isinstance(later.value, RelaySetupError)
    assert "our secret" not in f"{ended.value}{caplog.text}"


async def test_a_server_without_such_logins_is_named(issuer: TokenServer, account: Account) -> None:
    async with SmtpServer(login=("papers", "opensesame")) as server:
        with pytest.raises(RelaySetupError, match=r"only logins of the kinds .*login.*none with a token"):
            await hand_over(relay_with_tokens(server, account.tokens(issuer.client())))
    assert issuer.asked == []


def test_what_is_no_reason_says_nothing() -> None:
    assert [told_reason(one) for one in ("", "%%", "WzFd", "e30=")] == ["", "", "", ""]
    assert told_reason("eyJzdGF0dXMiOiAiNDAwIiwgImVycm9yIjogImJhZCJ9") == "400 bad"


def relay_with_tokens(server: SmtpServer, tokens: RenewedTokens) -> SmtpRelay:
    return relay_to(server, tokens=tokens, username=USER)

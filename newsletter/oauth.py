"""Access tokens that are asked for when they are needed, kept in memory, and renewed shortly before they end.

Many connections log in at once: one of them asks for a token, the others wait for that. A server that fails is
asked again after growing pauses, and between them everybody is told at once what it said last.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from typing_extensions import override

from newsletter.core.alarms import Cause
from newsletter.core.errors import TokenError, UnansweredError
from newsletter.core.oauth import AccessToken, TokenClient, read_token
from newsletter.ports import AccessTokens, Clock, OperatorAlarm, Poster
from newsletter.whole_files import write_whole

log = structlog.get_logger(__name__)

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_AT_ONCE = (1.0, 2.0)  # seconds before each new try, while somebody waits for a token …
_FIRST_PAUSE = timedelta(seconds=15)  # … and after them, until the next request is answered by the last error
_LONGEST_PAUSE = timedelta(minutes=10)
_ALARMING = 3  # failures in a row after which even what may pass is worth an alarm
_LONGEST_KEPT = 16_384  # characters


@dataclass(frozen=True, slots=True)
class KeptRefreshToken:
    """The file in which a refresh token is kept that has replaced the one of the settings.

    Microsoft's replace each other, and each ends 90 days after it was given. The file belongs to the token of the
    settings: with another one there, another file counts.
    """

    path: Path

    @classmethod
    def of(cls, client: TokenClient, folder: Path) -> KeptRefreshToken:
        """Return the place in a folder for what replaces a client's refresh token."""
        known_by = f"{client.url}\n{client.client_id}\n{client.refresh_token}"
        return cls(folder / hashlib.sha256(known_by.encode()).hexdigest()[:16])

    def read(self) -> str:
        """Return the token, or nothing."""
        try:
            with self.path.open(encoding="utf-8") as file:
                return file.read(_LONGEST_KEPT).strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            log.warning("refresh_token_not_read", file=str(self.path), reason=str(error))
            return ""

    def write(self, token: str) -> None:
        """Keep a token, for its owner's eyes only."""
        try:
            write_whole(self.path, token.encode(), durable=True, mode=0o600)
        except OSError as error:
            log.error("refresh_token_not_kept", file=str(self.path), reason=str(error))  # noqa: TRY400


class RenewedTokens(AccessTokens):
    """The tokens of one account, from one authorization server."""

    def __init__(
        self,
        client: TokenClient,
        poster: Poster,
        clock: Clock,
        kept: KeptRefreshToken,
        *,
        alarm: OperatorAlarm,
        subject: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Begin without a token.

        Args:
            client: who we are to the server.
            poster: posts to it, and reads answers up to some size.
            clock: the present moment.
            kept: where a refresh token is kept that replaces ours.
            alarm: is rung when there is no token for good, or for a while.
            subject: the server that the tokens are for, `host:port`.
            sleep: waits for some seconds.
        """
        self._client, self._poster, self._clock, self._kept = client, poster, clock, kept
        self._alarm, self._subject, self._sleep = alarm, subject, sleep
        self._asking = asyncio.Lock()
        self._token = ""
        self._usable_until: datetime | None = None
        self._failed: TokenError | None = None
        self._failures = 0  # in a row
        self._next_try_at: datetime | None = None

    @override
    async def token(self) -> str:
        if self._is_usable:
            return self._token
        async with self._asking:
            if not self._is_usable:  # else somebody has got one meanwhile
                await self._renew()
            return self._token

    @override
    async def renewed(self, refused: str) -> str:
        async with self._asking:
            if self._token == refused or not self._is_usable:
                self._usable_until = None
                await self._renew()
            return self._token

    @property
    def _is_usable(self) -> bool:
        return self._usable_until is not None and self._clock() < self._usable_until

    async def _renew(self) -> None:
        if self._failed and self._next_try_at and self._clock() < self._next_try_at:
            raise TokenError(str(self._failed), is_final=self._failed.is_final)
        try:
            token = await self._new_token()
        except TokenError as error:
            self._failed, self._failures = error, self._failures + 1
            pause = min(_FIRST_PAUSE * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
            self._next_try_at = self._clock() + pause
            log.warning("no_access_token", reason=str(error), next_try_in=pause.total_seconds())
            if error.is_final or self._failures >= _ALARMING:
                await self._alarm.ring(Cause.TOKEN, self._subject, str(error))
            raise
        self._token = token.value
        self._usable_until = self._clock() + timedelta(seconds=token.seconds)
        self._failed, self._failures = None, 0
        await self._alarm.over((Cause.TOKEN,), self._subject)

    async def _new_token(self) -> AccessToken:
        """Return a token: by the refresh token that replaced that of the settings, or else by this one."""
        of_settings = self._client.refresh_token
        kept = await asyncio.to_thread(self._kept.read) if of_settings else ""
        if not kept or kept == of_settings:
            return await self._answered(of_settings)
        try:
            return await self._answered(kept)
        except TokenError as error:
            if not error.is_final:
                raise
        return await self._answered(of_settings)

    async def _answered(self, refresh_token: str) -> AccessToken:
        """Return the token of an answer; what is only trouble of the server's is tried again a few times."""
        for pause in _AT_ONCE:
            try:
                return await self._ask(refresh_token)
            except TokenError as error:
                if error.is_final:
                    raise
            await self._sleep(pause)
        return await self._ask(refresh_token)

    async def _ask(self, refresh_token: str) -> AccessToken:
        client = self._client
        try:
            answer = await self._poster.post(client.url, client.form(refresh_token), _FORM)
        except UnansweredError as error:
            raise TokenError(
                f"the authorization server of {client.settings}… gives no access token: {error}", is_final=False
            ) from error
        token = read_token(client, refresh_token, answer.status, answer.body)
        if token.refresh_token and token.refresh_token != refresh_token:
            await asyncio.to_thread(self._kept.write, token.refresh_token)
        return token

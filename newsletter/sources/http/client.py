"""Reads what sources offer over HTTP.

Each request names who asks, ends in time, and stays within a size. It is conditional if an earlier answer had a
validator. It is repeated after failures that pass: 408, 425, 429, 5xx, timeouts, lost connections, and bodies cut
short or of another kind (an error page with status 200). After the last try an `HttpError` says what failed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from random import SystemRandom
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from newsletter.sources.http.beginning import Beginning, beginning
from newsletter.sources.http.cache import CachedAnswer, HttpCache
from newsletter.sources.http.cooldowns import Cooldowns
from newsletter.sources.http.exchange import Exchange, Response, TryError, with_query
from newsletter.sources.http.pace import Pace
from newsletter.sources.http.pacing import Pacer
from newsletter.sources.http.retry_after import retry_after
from newsletter.sources.parts import Http
from newsletter.sources.reading.document import Document, HttpError
from newsletter.sources.reading.parsing import Parser, UnreadableError

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_TRANSIENT = {408, 425, 429, *range(500, 600)}
_THERE = {401, 402, 403, 429}
_MAX_WAIT = 300.0  # seconds; a server that asks for more is asked again in the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """How to ask: `timeout` in seconds, `retries` after the first try, `state` keeps locks and answers."""

    user_agent: str
    timeout: float
    retries: int
    max_bytes: int = 20 * 1024 * 1024
    state: Path | None = None


class HttpClient(Http):
    """Asks servers and returns their answers, parsed. Opens no connection before the first request.

    Args:
        config: how to ask.
        sleep: waits for some seconds.
        clock: returns seconds since the epoch; it spaces requests of several processes and reads `Retry-After`.
        parser: reads documents, and the caller closes it; None: the client starts and closes its own.
    """

    def __init__(
        self,
        config: HttpConfig,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        parser: Parser | None = None,
    ) -> None:
        self._config = config
        self._sleep = sleep
        self._clock = clock
        folder = config.state and config.state / "http"
        self._pacer = Pacer(folder, sleep=sleep, clock=clock)
        self._cache = HttpCache(folder, clock=clock)
        self._cooldowns = Cooldowns(folder, clock=clock)
        self._owns_parser = parser is None
        self._parser = parser or Parser()
        self._exchange = Exchange(user_agent=config.user_agent, timeout=config.timeout, max_bytes=config.max_bytes)

    async def get(
        self,
        url: str,
        parse: Callable[[Document], _T],
        params: Mapping[str, str] | None = None,
        *,
        source: str,
        pace: Pace | None = None,
        public_only: bool = False,
    ) -> _T:
        """Return the result of `parse` for the body at an address; see `Http`.

        The answer is cached if it has a validator. A request that fails is repeated after growing waits.
        """
        host = urlsplit(url).netloc.rpartition("@")[2]
        server = f"{host} {pace.part}".strip() if pace else ""
        if pace and (until := self._cooldowns.until(server)):
            reason = f"{source}: {host}: had too many requests and is left alone until {_moment(until)}"
            raise HttpError(reason, status=HTTPStatus.TOO_MANY_REQUESTS)
        try:
            target = with_query(url, params)
            value = await self._retried(
                partial(self._try, target, parse, pace=pace, public_only=public_only), source, host
            )
        except TryError as failure:
            if pace and failure.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._cooldowns.begin(server, failure.wait)
            raise failure.final(f"{source}: {host}") from failure
        if pace:
            self._cooldowns.end(server)
        return value

    async def _retried(self, attempt: Callable[[], Awaitable[_T]], source: str, host: str) -> _T:
        """Return the result of the first attempt that succeeds, or raise the last `TryError`."""
        tried = 0
        while True:
            tried += 1
            try:
                return await attempt()
            except TryError as failure:
                if not failure.transient or tried > self._config.retries:
                    failure.tried = tried
                    raise
                wait = max(failure.wait, 2 ** (tried - 1) * SystemRandom().uniform(0.5, 1.0))
                _log.warning("request_failed", source=source, host=host, reason=str(failure), next_try_in=wait)
            await self._sleep(wait)

    async def problem(self, url: str, *, public_only: bool) -> str:
        """Return why a visitor gets nothing at an address, or nothing if all is well. The body is not read.

        The request is HEAD, and then GET, as not every server knows HEAD. An answer that asks for a login, or for
        fewer requests, shows that there is something.

        Args:
            url: an http(s) address.
            public_only: refuse addresses that are not public, redirects included.
        """
        reason = ""
        for method in ("HEAD", "GET"):
            try:
                response = await self._exchange.request(method, url, public_only=public_only, most=0)
            except TryError as failure:
                reason = str(failure)
                continue
            if response.status < HTTPStatus.BAD_REQUEST or response.status in _THERE:
                return ""
            reason = f"answered {response.status}"
        return reason

    async def beginning(self, url: str, *, most: int, public_only: bool) -> Beginning:
        """Return the first bytes of a file, and what its server says of it. It is asked for once, and not cached.

        Args:
            url: an http(s) address.
            most: how many bytes to read; servers that cannot send a part (RFC 9110, 14) are left after these.
            public_only: refuse addresses that are not public, redirects included.

        Raises:
            HttpError: no usable answer came; one line with host and reason.
        """
        # Bytes of a packed body would be counted as packed.
        headers = {"Range": f"bytes=0-{most - 1}", "Accept-Encoding": "identity"}
        try:
            response = await self._exchange.request(
                "GET", url, headers=headers, public_only=public_only, most=most
            )
            if response.status != HTTPStatus.PARTIAL_CONTENT:
                self._require_ok(response)
            return beginning(response, most)
        except TryError as failure:
            raise failure.final(urlsplit(url).netloc.rpartition("@")[2]) from failure

    async def aclose(self) -> None:
        """Close all connections."""
        await self._exchange.aclose()
        if self._owns_parser:
            await self._parser.aclose()

    async def _try(self, url: str, parse: Callable[[Document], _T], *, pace: Pace | None, public_only: bool) -> _T:
        self._parser.warm_up()
        cached = await asyncio.to_thread(self._cache.load, url)
        conditions = cached.conditions if cached else None
        try:
            async with self._pacer.turn(pace):
                response = await self._exchange.request("GET", url, headers=conditions, public_only=public_only)
        except OSError as error:
            raise TryError(f"cannot keep pace: {error}", transient=False) from error
        unchanged = cached if response.status == HTTPStatus.NOT_MODIFIED else None
        if unchanged is None:
            self._require_ok(response)
        answer = unchanged or CachedAnswer.of(response.headers, response.body, charset=response.charset)
        document = Document(content=answer.body, url=response.url, charset=answer.charset)
        try:
            value = await self._parser.read(parse, document)
        except UnreadableError as error:
            raise TryError(f"the answer cannot be read: {error}", transient=False) from error
        except ValueError as error:
            if unchanged:
                await asyncio.to_thread(self._cache.drop, url)
            raise TryError(f"the answer cannot be read: {error}") from error
        if unchanged is None:
            await asyncio.to_thread(self._cache.save, url, answer)
        return value

    def _require_ok(self, response: Response) -> None:
        if response.status == HTTPStatus.OK:
            return
        wait = retry_after(response.headers, response.status, now=self._clock())
        asked = f" and asks to wait {wait:,.0f} s" if wait > _MAX_WAIT else ""
        raise TryError(
            f"answered {response.status}{asked}",
            transient=response.status in _TRANSIENT and not asked,
            wait=wait,
            status=response.status,
            body=response.body,
        )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"

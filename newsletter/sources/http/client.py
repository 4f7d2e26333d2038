"""Reads what sources offer over HTTP; beside `public_only`, the one module that knows httpx.

Every request says who asks, ends in time, stays within a size, is conditional where the server gave validators,
and is tried again after what passes: 408, 425, 429, 5xx, timeouts, lost connections, bodies that are cut short or
are not what was asked for (an error page with status 200). What remains is one `SourceError` of one line.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import structlog

from newsletter import __version__
from newsletter.core.text import one_line
from newsletter.sources.http.cache import Answer, HttpCache
from newsletter.sources.http.content_coding import ACCEPTED, CodingError, DamagedError, Unpacker
from newsletter.sources.http.cooldowns import Cooldowns
from newsletter.sources.http.pacing import Pace, Pacer
from newsletter.sources.http.public_only import AddressRefusedError, PublicOnly
from newsletter.sources.reading.document import Document, HttpError
from newsletter.sources.reading.json_text import read_json
from newsletter.sources.reading.parsing import Parser, UnreadableError

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_PASSING = {408, 425, 429, *range(500, 600)}
_THERE = {401, 402, 403, 429}
_MAX_HOPS = 5
_MAX_WAIT = 300.0  # seconds; a server that asks for more gets its next question at the next run
_WHOLE = 6  # a whole answer may take this many times the timeout, which is for each single read


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """How to ask: `timeout` in seconds, `retries` after the first try, `state` keeps locks and answers."""

    user_agent: str = f"newsletter/{__version__}"
    timeout: float = 20.0
    retries: int = 4
    max_bytes: int = 20 * 1024 * 1024
    state: Path | None = None


class _TryError(Exception):
    """One try that failed: why, whether another may help, and how long the server wants us to wait before it."""

    def __init__(
        self, reason: str, *, passing: bool = True, wait: float = 0.0, status: int | None = None, body: bytes = b""
    ) -> None:
        self.passing = passing
        self.wait = wait
        self.status = status
        self.body = body[:2000]
        self.tried = 1  # times, when it is given up
        super().__init__(one_line(reason))

    def final(self, where: str) -> HttpError:
        """Return the error for an answer that could not be had."""
        times = f" (tried {self.tried} times)" if self.tried > 1 else ""
        return HttpError(f"{where}: {self}{times}", status=self.status, body=self.body)


class HttpClient:
    """Asks servers and gives their answers, parsed. Opens no connection before the first question.

    Args:
        config: how to ask.
        sleep: waits for some seconds; tests need not.
        clock: gives seconds since the epoch; it spaces requests of several processes and reads `Retry-After`.
        parser: reads documents, and is the caller's to close; None: one of its own.
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
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def get_json(self, url: str, params: Mapping[str, str] | None = None, *, source: str) -> Any:
        """Return the JSON value at an address; numbers too long for any use come as None. Raises as `get` does."""
        return await self.get(url, _json, params, source=source)

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
        """Return what `parse` makes of the body at an address.

        Args:
            url: an http(s) address.
            parse: pure, and a function of a module or a `partial` of one, as it is called in another process. It
                raises ValueError for a document that is not what was asked for.
            params: the query; None leaves the one of `url`.
            source: named in errors and logs.
            pace: how far requests to this service stand apart, over all processes. A service that has one is
                left alone for a while, over runs too, once it says that there were too many.
            public_only: refuse addresses that are not public, redirects included. For URLs of others.

        Raises:
            HttpError: no usable answer came; one line with source, host, reason and number of tries.
        """
        host = urlsplit(url).netloc.rpartition("@")[2]
        server = f"{host} {pace.part}".strip() if pace else ""
        if pace and (until := self._cooldowns.until(server)):
            reason = f"{source}: {host}: had too many requests and is left alone until {_moment(until)}"
            raise HttpError(reason, status=HTTPStatus.TOO_MANY_REQUESTS)
        client = self._client(public_only=public_only)
        try:
            value = await self._retried(partial(self._try, url, parse, params, client, pace), source, host)
        except _TryError as failure:
            if pace and failure.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._cooldowns.begin(server, failure.wait)
            raise failure.final(f"{source}: {host}") from failure
        if pace:
            self._cooldowns.end(server)
        return value

    async def _retried(self, attempt: Callable[[], Awaitable[_T]], source: str, host: str) -> _T:
        """Return what the first attempt that succeeds does, or raise the last `_TryError`."""
        tried = 0
        while True:
            tried += 1
            try:
                return await attempt()
            except _TryError as failure:
                if not failure.passing or tried > self._config.retries:
                    failure.tried = tried
                    raise
                wait = max(failure.wait, 2 ** (tried - 1) * SystemRandom().uniform(0.5, 1.0))
                _log.warning("request_failed", source=source, host=host, reason=str(failure), next_try_in=wait)
            await self._sleep(wait)

    async def problem(self, url: str, *, public_only: bool) -> str:
        """Return why nobody gets to see what is at an address, or nothing; what is there is not read.

        Asked is with HEAD, and again with GET, as not every server knows HEAD. One that asks for a login, or to be
        left alone, has something there.

        Args:
            url: an http(s) address.
            public_only: refuse addresses that are not public, redirects included.
        """
        client, reason = self._client(public_only=public_only), ""
        for method in ("HEAD", "GET"):
            try:
                request = client.build_request(method, url)
                response, _ = await self._answer(client, request, whole=False)
            except httpx.InvalidURL as error:
                return f"not a web address: {error}"
            except _TryError as failure:
                reason = str(failure)
                continue
            if response.status_code < HTTPStatus.BAD_REQUEST or response.status_code in _THERE:
                return ""
            reason = f"answered {response.status_code}"
        return reason

    async def aclose(self) -> None:
        """Close all connections."""
        while self._clients:
            await self._clients.popitem()[1].aclose()
        if self._owns_parser:
            await self._parser.aclose()

    def _client(self, *, public_only: bool) -> httpx.AsyncClient:
        if public_only not in self._clients:
            self._clients[public_only] = httpx.AsyncClient(
                headers={"User-Agent": self._config.user_agent, "Accept-Encoding": ACCEPTED},
                timeout=self._config.timeout,
                transport=PublicOnly() if public_only else None,
            )
        return self._clients[public_only]

    async def _try(
        self,
        url: str,
        parse: Callable[[Document], _T],
        params: Mapping[str, str] | None,
        client: httpx.AsyncClient,
        pace: Pace | None,
    ) -> _T:
        try:
            target = httpx.URL(url).copy_merge_params(params) if params else httpx.URL(url)
        except httpx.InvalidURL as error:
            raise _TryError(f"not a web address: {error}", passing=False) from error
        self._parser.warm_up()
        kept = await asyncio.to_thread(self._cache.load, str(target))
        request = client.build_request("GET", target, headers=kept.conditions if kept else None)
        try:
            async with self._pacer.turn(pace):
                response, body = await self._answer(client, request)
        except OSError as error:
            raise _TryError(f"cannot keep pace: {error}", passing=False) from error
        unchanged = kept if response.status_code == HTTPStatus.NOT_MODIFIED else None
        if unchanged is None:
            self._judge(response, body)
        answer = unchanged or Answer.of(response.headers, body, charset=response.charset_encoding or "")
        document = Document(content=answer.body, url=str(response.url), charset=answer.charset)
        try:
            value = await self._parser.read(parse, document)
        except UnreadableError as error:
            raise _TryError(f"the answer cannot be read: {error}", passing=False) from error
        except ValueError as error:
            if unchanged:
                await asyncio.to_thread(self._cache.drop, str(target))
            raise _TryError(f"the answer cannot be read: {error}") from error
        if unchanged is None:
            await asyncio.to_thread(self._cache.save, str(target), answer)
        return value

    async def _answer(
        self, client: httpx.AsyncClient, request: httpx.Request, *, whole: bool = True
    ) -> tuple[httpx.Response, bytes]:
        """Ask, follow redirects, and read no more than the limit, or nothing if it is not the `whole` answer."""
        try:
            async with asyncio.timeout(self._config.timeout * _WHOLE):
                for _ in range(_MAX_HOPS):
                    response = await client.send(request, stream=True)
                    try:
                        if response.next_request is None:
                            return response, await self._body(response) if whole else b""
                        request = response.next_request
                    finally:
                        await response.aclose()
        except DamagedError as error:
            raise _TryError(str(error)) from error
        except (httpx.UnsupportedProtocol, AddressRefusedError, CodingError) as error:
            raise _TryError(str(error), passing=False) from error
        except (httpx.InvalidURL, ValueError) as error:  # ValueError: a host that is no name (IDNA)
            raise _TryError(f"leads to what is no web address: {error}", passing=False) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise _TryError(f"no answer in time (timeout: {self._config.timeout:g} s)") from error
        except httpx.TransportError as error:
            raise _TryError(f"no answer: {str(error) or type(error).__name__}") from error
        raise _TryError(f"more than {_MAX_HOPS - 1} redirects", passing=False)

    async def _body(self, response: httpx.Response) -> bytes:
        unpacker = Unpacker(response.headers.get("content-encoding", ""), most=self._config.max_bytes)
        body = bytearray()
        async for chunk in response.aiter_raw():
            for piece in unpacker.unpacked(chunk):
                body += piece
        return bytes(body)

    def _judge(self, response: httpx.Response, body: bytes) -> None:
        status = response.status_code
        if status == HTTPStatus.OK:
            return
        wait = _asked_wait(response, self._clock())
        asked = f" and asks to wait {wait:,.0f} s" if wait > _MAX_WAIT else ""
        passing = status in _PASSING and not asked
        raise _TryError(f"answered {status}{asked}", passing=passing, wait=wait, status=status, body=body)


def _asked_wait(response: httpx.Response, now: float) -> float:
    """Return how many seconds a server asks us to wait: `Retry-After`, a number or date, or `RateLimit: …;t=…`."""
    text = response.headers.get("retry-after", "").strip()
    if not text and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        limit = re.search(r"\bt=(\d+)", response.headers.get("ratelimit", ""))
        text = limit[1] if limit else ""
    if text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).replace(tzinfo=UTC).timestamp() - now)
    except (ValueError, OverflowError, TypeError):  # such as the year 99999999999
        return 0.0


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _json(document: Document) -> Any:
    return read_json(document.content)

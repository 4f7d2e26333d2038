"""One HTTP request and its answer, redirects included. No module but this one and `public_only` imports httpx2."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import httpx2

from newsletter.core.text import one_line
from newsletter.sources.http.content_coding import ACCEPTED, CodingError, DamagedError, Unpacker
from newsletter.sources.http.public_only import AddressRefusedError, PublicOnly
from newsletter.sources.reading.document import HttpError

_MAX_REDIRECTS = 4
_WHOLE = 6  # a whole answer may take this many times the timeout, which limits each single read
_MAX_ERROR_BODY = 2000  # bytes


class TryError(Exception):
    """A request failed.

    Attributes:
        transient: another try may succeed.
        wait: seconds that the server asks to wait before it.
        status: the status code, if there was an answer.
        body: the start of its body.
        arrived: the server may have had the request.
        tried: how often the request was made.
    """

    def __init__(
        self,
        reason: str,
        *,
        transient: bool = True,
        wait: float = 0.0,
        status: int | None = None,
        body: bytes = b"",
        arrived: bool = True,
    ) -> None:
        self.transient = transient
        self.arrived = arrived
        self.wait = wait
        self.status = status
        self.body = body[:_MAX_ERROR_BODY]
        self.tried = 1
        super().__init__(one_line(reason))

    def final(self, where: str) -> HttpError:
        """Return the error for the caller, after the last try."""
        times = f" (tried {self.tried} times)" if self.tried > 1 else ""
        return HttpError(f"{where}: {self}{times}", status=self.status, body=self.body, transient=self.transient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer. `url` is the address after all redirects, `charset` that of Content-Type, or nothing."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    url: str
    charset: str
    body: bytes


class Exchange:
    """Makes requests, and keeps connections open between them. Opens none before the first request.

    Args:
        user_agent: who asks.
        timeout: seconds for each single read; a whole answer may take a few times as long.
        max_bytes: the most that a body may have, unpacked.
        private_by: the setting that allows other than public addresses, for messages.
        connect_timeout: seconds for a connection; None: as `timeout`.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: float,
        max_bytes: int,
        private_by: str = "NEWSLETTER_HTTP__ALLOW_PRIVATE",
        connect_timeout: float | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._connect_timeout = timeout if connect_timeout is None else connect_timeout
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._private_by = private_by
        self._clients: dict[bool, httpx2.AsyncClient] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        public_only: bool = False,
        most: int | None = None,
        redirects: int = _MAX_REDIRECTS,
    ) -> Response:
        """Make one request, follow redirects, and return the answer, whatever its status.

        Args:
            method: such as `GET`.
            url: an http(s) address.
            headers: beside those of each request.
            content: the body; None: there is none.
            public_only: refuse addresses that are not public, redirects included.
            most: bytes of the body that are read, unpacked; what follows is left. None: the whole body.
            redirects: how many are followed; with 0, the first answer is returned whatever it says.

        Raises:
            TryError: no answer came, or none within time and size.
        """
        client = self._client(public_only=public_only)
        try:
            request = client.build_request(method, url, headers=dict(headers or {}), content=content)
        except httpx2.InvalidURL as error:
            raise TryError(f"not a web address: {error}", transient=False, arrived=False) from error
        with _failures(self._timeout):
            async with asyncio.timeout(self._timeout * _WHOLE):
                return await self._followed(client, request, most=most, redirects=redirects)

    async def aclose(self) -> None:
        """Close all connections."""
        while self._clients:
            await self._clients.popitem()[1].aclose()

    def _client(self, *, public_only: bool) -> httpx2.AsyncClient:
        if public_only not in self._clients:
            tls = _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
            self._clients[public_only] = httpx2.AsyncClient(
                headers={"User-Agent": self._user_agent, "Accept-Encoding": ACCEPTED},
                timeout=httpx2.Timeout(self._timeout, connect=self._connect_timeout),
                verify=tls,
                transport=PublicOnly(setting=self._private_by, tls=tls) if public_only else None,
            )
        return self._clients[public_only]

    async def _followed(
        self, client: httpx2.AsyncClient, request: httpx2.Request, *, most: int | None, redirects: int
    ) -> Response:
        for _ in range(1 + redirects):
            response = await client.send(request, stream=True)
            try:
                if not redirects:
                    return self._answer(response, await self._body(response, most))
                if response.next_request is None and response.has_redirect_location:
                    location = response.headers["location"]
                    raise TryError(f"leads to what is no web address: {location!r}"[:200], transient=False)
                if response.next_request is None:
                    return self._answer(response, await self._body(response, most))
                request = response.next_request
            finally:
                await response.aclose()
        raise TryError(f"more than {redirects} redirects", transient=False)

    async def _body(self, response: httpx2.Response, most: int | None) -> bytes:
        if most == 0:
            return b""
        unpacker = Unpacker(response.headers.get("content-encoding", ""), most=self._max_bytes)
        body = bytearray()
        async for chunk in response.aiter_raw():
            for piece in unpacker.unpacked(chunk):
                body += piece
                if most is not None and len(body) >= most:
                    return bytes(body[:most])
        return bytes(body)

    @staticmethod
    def _answer(response: httpx2.Response, body: bytes) -> Response:
        return Response(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            url=str(response.url),
            charset=response.charset_encoding or "",
            body=body,
        )


@lru_cache(maxsize=4)  # making one reads some 140 certificates
def _tls(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Return what checks certificates, by the two variables of the environment that say where trusted ones are."""
    return httpx2.create_ssl_context()


@contextmanager
def _failures(timeout: float) -> Iterator[None]:
    """Turn what goes wrong with a request into a TryError of one line; `timeout` is what it was, in seconds."""
    try:
        yield
    except DamagedError as error:
        raise TryError(str(error)) from error
    except (httpx2.UnsupportedProtocol, AddressRefusedError) as error:
        raise TryError(str(error), transient=False, arrived=False) from error
    except CodingError as error:
        raise TryError(str(error), transient=False) from error
    except (httpx2.InvalidURL, ValueError) as error:  # ValueError: a host that is no name (IDNA)
        raise TryError(f"leads to what is no web address: {error}", transient=False) from error
    except (httpx2.TimeoutException, TimeoutError) as error:
        arrived = not isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        raise TryError(f"no answer in time (timeout: {timeout:g} s)", arrived=arrived) from error
    except httpx2.TransportError as error:
        arrived = not isinstance(error, httpx2.ConnectError)
        raise TryError(f"no answer: {str(error) or type(error).__name__}", arrived=arrived) from error


def with_query(url: str, params: Mapping[str, str] | None) -> str:
    """Return a web address with these parameters in its query; None leaves the query as it is.

    Raises:
        TryError: it is no web address.
    """
    try:
        return str(httpx2.URL(url).copy_merge_params(params) if params else httpx2.URL(url))
    except httpx2.InvalidURL as error:
        raise TryError(f"not a web address: {error}", transient=False) from error

"""Single requests as a visitor from elsewhere makes them: to the address that DNS says, without redirects."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from newsletter.core.certificate import Certificate
from newsletter.core.errors import NoAnswerError
from newsletter.core.text import one_line
from newsletter.ports.website import WebAnswer, Website

_TIMEOUT = 8.0  # seconds, for the connection and for each reading
_WHOLE = 2 * _TIMEOUT  # for a whole answer
_MOST_READ = 2000  # bytes of a body
_PORTS = {"https": 443, "http": 80}


class PlainWebsite(Website):
    """Asks by `http.client`, in a thread: nothing between it and the server remembers, follows or repeats.

    Args:
        user_agent: who asks.
        resolve: returns the addresses of a name.
    """

    def __init__(self, user_agent: str, resolve: Callable[[str], Awaitable[Sequence[str]]]) -> None:
        self._user_agent = user_agent
        self._resolve = resolve

    @override
    async def ask(self, method: str, url: str, form: bytes = b"") -> WebAnswer:
        parts = _parts(url)
        host = parts.hostname or ""
        addresses = [host] if _is_ip(host) else await self._resolve(host)
        if not addresses:
            raise NoAnswerError(f"{host} has no address in DNS")
        headers = {"User-Agent": self._user_agent, "Host": parts.netloc.rpartition("@")[2], "Connection": "close"}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await asyncio.to_thread(_ask_first, addresses, parts, method, headers, form)


def _parts(url: str) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname and parts.port != 0:
            return parts
    raise NoAnswerError("it is no address of a website")


def _ask_first(
    addresses: Sequence[str], parts: SplitResult, method: str, headers: dict[str, str], form: bytes
) -> WebAnswer:
    """Ask the first address that can be connected to."""
    port = parts.port or _PORTS[parts.scheme]
    failure: OSError | None = None
    for address in addresses:
        try:
            connection = socket.create_connection((address, port), timeout=_TIMEOUT)
        except OSError as error:
            failure = error
            continue
        try:
            with _given_up(connection), closing(_secured(connection, parts)) as secured:
                return _asked(secured, parts, method, headers, form)
        except ssl.SSLCertVerificationError as error:
            raise NoAnswerError(
                f"the certificate of {parts.hostname} is not trusted: {one_line(error.verify_message, 200)}"
            ) from error
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswerError(f"{parts.hostname}: {one_line(str(error), 200) or 'no answer'}") from error
    raise NoAnswerError(
        f"cannot connect to {parts.hostname} at {addresses[0]}, port {port}: {_why(failure)}"
    ) from failure


@contextmanager
def _given_up(connection: socket.socket) -> Iterator[None]:
    """Let a connection end after some time, however slowly bytes come over it."""
    descriptor = connection.dup()  # TLS takes the connection over

    def end() -> None:
        with suppress(OSError):
            descriptor.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_WHOLE, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        descriptor.close()


def _secured(connection: socket.socket, parts: SplitResult) -> socket.socket:
    if parts.scheme != "https":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise


def _asked(
    connection: socket.socket, parts: SplitResult, method: str, headers: dict[str, str], form: bytes
) -> WebAnswer:
    http = HTTPConnection(parts.hostname or "", timeout=_TIMEOUT)
    http.sock = connection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    http.request(method, path, body=form or None, headers=headers)
    response = http.getresponse()
    certificate = None
    if isinstance(connection, ssl.SSLSocket):
        with suppress(ValueError):
            certificate = Certificate.of(connection.getpeercert() or {})
    return WebAnswer(
        status=response.status,
        location=one_line(response.getheader("Location", ""), 300),
        date=_date(response),
        body=response.read(_MOST_READ),
        certificate=certificate,
    )


def _date(response: HTTPResponse) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.getheader("Date", ""))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _why(error: OSError | None) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT:g} seconds"
    return one_line(str(error.strerror or error), 200) if error else "no address"

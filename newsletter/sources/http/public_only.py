"""Connects to public addresses only: for URLs that other people chose."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import httpx2

from newsletter.core.network import is_public
from newsletter.sources.http.addresses import resolve


class AddressRefusedError(httpx2.TransportError):
    """A URL or a redirect of other people leads to an address that is not public."""


class PublicOnly(httpx2.AsyncBaseTransport):
    """Connects to public addresses only, and to the very address that was checked.

    A name could resolve to a public address for the check and to a private address for the connection. So it is
    resolved once; TLS still checks the name. No proxy is used: its connections cannot be checked.

    Args:
        inner: makes the connections. The default keeps none open: two names at the same address must not share
            one.
        resolve: returns the addresses of a host and port.
        allowed: returns whether to connect to an address.
        setting: what allows other addresses, for messages.
        tls: what the default checks certificates with; None: it makes its own.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport | None = None,
        *,
        resolve: Callable[[str, int], Awaitable[list[str]]] = resolve,
        allowed: Callable[[str], bool] = is_public,
        setting: str = "NEWSLETTER_HTTP__ALLOW_PRIVATE",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._inner = inner or httpx2.AsyncHTTPTransport(
            verify=tls or True, limits=httpx2.Limits(max_keepalive_connections=0)
        )
        self._resolve = resolve
        self._allowed = allowed
        self._setting = setting

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first reachable address of its host.

        Raises:
            AddressRefusedError: the host has an address that is not public.
            httpx2.TransportError: no address can be reached.
        """
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or {"http": 80, "https": 443}.get(request.url.scheme, 0)
        try:
            addresses = await self._resolve(host.strip("[]"), port)
        except OSError as error:
            raise httpx2.ConnectError(f"{host} has no address") from error
        if private := [address for address in addresses if not self._allowed(address)]:
            raise AddressRefusedError(
                f"{host} is at {private[0]}, which is not a public address; if that is meant, set "
                f"{self._setting}=true"
            )
        failure: httpx2.TransportError = httpx2.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.handle_async_request(_pinned(request, address, host))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _pinned(request: httpx2.Request, address: str, host: str) -> httpx2.Request:
    """Return the request to an IP address; the Host header, already set, and the TLS name stay."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        extensions=request.extensions | {"sni_hostname": host},
    )

from __future__ import annotations

import asyncio
import ssl
from operator import attrgetter
from typing import TYPE_CHECKING

import httpx2
import pytest
import trustme

from newsletter.core.network import is_public
from newsletter.sources.http.addresses import resolve
from newsletter.sources.http.public_only import AddressRefusedError, PublicOnly
from newsletter.sources.reading.document import HttpError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_httpserver import HTTPServer

    from newsletter.sources.http.client import HttpClient

    Resolver = Callable[[str, int], Awaitable[list[str]]]


def resolving(*addresses: str) -> Resolver:
    async def resolver(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolver


async def ask(resolver: Resolver, url: str) -> httpx2.Response:
    transport = PublicOnly(resolve=resolver, allowed=lambda address: address.startswith(("127.", "8.", "::1")))
    async with httpx2.AsyncClient(transport=transport) as client:
        return await client.get(url)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::6810:84e5", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "::ffff:0:808:808",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1::1",
        "2606:4700::5efe:7f00:1",
        "2606:4700::200:5efe:a00:1",
        "2606:4700::1111%eth0",
        "5f00::1",
        "3fff::1",
        "100::1",
        "192.0.0.8",
        "192.88.99.1",
        "localhost",
        "",
    ],
)
def test_addresses_of_ones_own_are_not(address: str) -> None:
    assert not is_public(address)


async def test_names_resolve_to_addresses_each_once() -> None:
    addresses = await resolve("localhost", 80)
    assert "127.0.0.1" in addresses
    assert len(addresses) == len(set(addresses))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_loopback_in_any_spelling_is_refused(host: str, http: HttpClient, httpserver: HTTPServer) -> None:
    with pytest.raises(HttpError, match=r"at .*, which is not a public address; .*ALLOW_PRIVATE=true\Z"):
        await http.get(f"http://{host}:{httpserver.port}/", attrgetter("content"), source="test", public_only=True)
    assert not httpserver.log


async def test_one_private_address_among_public_ones_is_enough(httpserver: HTTPServer) -> None:
    with pytest.raises(AddressRefusedError, match=r"two\.example\.org is at 10\.0\.0\.1"):
        await ask(resolving("8.8.8.8", "10.0.0.1"), "http://two.example.org/")


async def test_a_name_without_an_address_is_no_connection() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    for resolver in (unknown, resolving()):
        with pytest.raises(httpx2.ConnectError, match=r"gone\.example\.org has no address"):
            await ask(resolver, "http://gone.example.org/")


async def test_a_redirect_to_a_private_address_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(
        status=302, headers={"Location": f"http://inside.example.org:{httpserver.port}/secret"}
    )

    def allowed(address: str) -> bool:
        return address == "127.0.0.1"

    async def names(host: str, port: int) -> list[str]:
        return ["127.0.0.1" if host == "outside.example.org" else "127.0.0.2"]

    transport = PublicOnly(resolve=names, allowed=allowed)
    async with httpx2.AsyncClient(transport=transport, follow_redirects=True) as client:
        with pytest.raises(AddressRefusedError, match=r"inside\.example\.org is at 127\.0\.0\.2"):
            await client.get(f"http://outside.example.org:{httpserver.port}/")
    assert len(httpserver.log) == 1


async def test_the_connection_goes_to_the_address_that_was_checked(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/feed").respond_with_data("here")
    looked_up: list[str] = []

    async def names(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    answer = await ask(names, f"http://feeds.example.org:{httpserver.port}/feed")
    assert answer.text == "here"
    assert looked_up == ["feeds.example.org"]
    assert httpserver.log[0][0].headers["Host"] == f"feeds.example.org:{httpserver.port}"


async def test_the_next_address_is_tried_where_the_first_does_not_answer(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("here")
    answer = await ask(resolving("::1", "127.0.0.1"), f"http://two.example.org:{httpserver.port}/")
    assert answer.text == "here"


async def test_tls_still_goes_by_the_name() -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("feeds.example.org").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    transport = PublicOnly(
        httpx2.AsyncHTTPTransport(verify=client_side), resolve=resolving("127.0.0.1"), allowed=lambda _: True
    )
    async with server, httpx2.AsyncClient(transport=transport) as client:
        assert (await client.get(f"https://feeds.example.org:{port}/")).text == "here"
        with pytest.raises(httpx2.ConnectError, match="certificate"):
            await client.get(f"https://other.example.org:{port}/")

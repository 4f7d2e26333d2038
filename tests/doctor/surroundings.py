"""All that mail depends on, on loopback and in good order: what tests break, one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.composition.examining import examine
from newsletter.core.diagnosis import Diagnosis, Health
from newsletter.render.mime.signing import SigningKey
from newsletter.settings import load
from newsletter.store import upgrade
from tests.doctor.name_server import Zone, name_server
from tests.smtp_server import Certificates, SmtpServer
from tests.web.site import LINKS, served_site

LOGIN = ("papers", "opensesame")
SITE = "papers.example.org"
LIST = """title = "Daily"
sender = "Daily <papers@lab.example>"
postal_address = "1 Reading Lane"
timezone = "Europe/London"
sources = ["huggingface"]

[[subscribers]]
email = "ann@lab.example"
"""


def pem(private: object) -> bytes:
    """Return a private key as a file holds it."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined, no-any-return]


RSA, ED25519 = pem(generate_private_key(65537, 2048)), pem(Ed25519PrivateKey.generate())


def key_record(selector: str, key: bytes) -> str:
    """Return what DNS has for a key."""
    own = SigningKey.of(selector, key)
    return f"v=DKIM1; k={own.kind}; p={own.published[0]}"


@dataclass
class World:
    """Servers that many tests share."""

    zone: Zone
    certificates: Certificates
    ca_file: Path
    site_port: int = 0
    clock_port: int = 0
    redirects_posts: bool = False
    clock_is_off: timedelta = timedelta()


@dataclass
class Surroundings:
    """A working folder with its settings, and the servers around it."""

    world: World
    folder: Path
    relay: SmtpServer
    monkeypatch: pytest.MonkeyPatch
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> Zone:
        return self.world.zone

    def list_file(self, text: str) -> None:
        (self.folder / "subscribers" / "daily.toml").write_text(text)

    async def examined(self, send_to: str = "") -> list[Diagnosis]:
        """Examine what there is."""
        for name, value in self.settings.items():
            self.monkeypatch.setenv(f"NEWSLETTER_{name}", value)
        return await examine(load(None), send_to=send_to)

    async def troubles(self) -> list[Diagnosis]:
        """Return what is not in order."""
        return [one for one in await self.examined() if one.status is not Health.OK]

    async def serve_again(self, stack: AsyncExitStack, relay: SmtpServer) -> None:
        """Let another relay take the place of the one that was there."""
        await stack.enter_async_context(relay)
        self.relay = relay
        self.settings["SMTP__PORT"] = str(relay.port)


def good_zone() -> Zone:
    zone = Zone()
    zone.add("lab.example", "MX", "10 mail.lab.example.")
    zone.add("lab.example", "TXT", "google-site-verification=x", "v=spf1 ip4:192.0.2.25 -all")
    zone.add("mail.lab.example", "A", "192.0.2.25")
    zone.add("25.2.0.192.in-addr.arpa", "PTR", "mail.lab.example.")
    zone.add("_dmarc.lab.example", "TXT", "v=DMARC1; p=quarantine; rua=mailto:dmarc@lab.example")
    zone.add("one._domainkey.lab.example", "TXT", key_record("one", RSA))
    zone.add("two._domainkey.lab.example", "TXT", key_record("two", ED25519))
    zone.add(SITE, "A", "127.0.0.1")
    return zone


def _settings(folder: Path, world: World, relay: int) -> dict[str, str]:
    return {
        "SMTP__HOST": "localhost",
        "SMTP__PORT": str(relay),
        "SMTP__CA_FILE": str(world.ca_file),
        "SMTP__EHLO_NAME": "mail.lab.example",
        "SMTP__USERNAME": LOGIN[0],
        "SMTP__PASSWORD": LOGIN[1],
        "DATABASE__URL": f"sqlite:///{folder}/newsletter.db",
        "PATHS__STATE": str(folder),
        "PATHS__SUBSCRIBERS": str(folder / "subscribers"),
        "DKIM__DOMAIN": "lab.example",
        "DKIM__SELECTOR": "one",
        "DKIM__KEY_FILE": str(folder / "one.pem"),
        "DKIM__ED25519_SELECTOR": "two",
        "DKIM__ED25519_KEY_FILE": str(folder / "two.pem"),
        "WEB__PUBLIC_URL": f"https://{SITE}:{world.site_port}",
        "HUGGINGFACE__URL": f"http://127.0.0.1:{world.clock_port}",
        "WEB__SECRET_KEY": LINKS.secret_key,
        "ALARM__TO": "operator@lab.example",
        "DOCTOR__RESOLVER": f"127.0.0.1:{world.zone.port}",
    }


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Serve DNS, a site and a source for as long as the context lasts."""
    certificates = Certificates("localhost", "127.0.0.1", SITE)
    made = World(good_zone(), certificates, certificates.write(folder))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(name_server(made.zone))
        site = await stack.enter_async_context(served_site(folder / "pages"))
        made.site_port = await stack.enter_async_context(_proxy(made, site.client.base_url.port or 0))
        made.clock_port = await stack.enter_async_context(_clock(made))
        yield made


@asynccontextmanager
async def surroundings(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Surroundings]:
    """Give surroundings in good order for as long as the context lasts."""
    world.zone.records, world.zone.is_silent = good_zone().records, False
    world.redirects_posts, world.clock_is_off = False, timedelta()
    (folder / "subscribers").mkdir()
    (folder / "one.pem").write_bytes(RSA)
    (folder / "two.pem").write_bytes(ED25519)
    monkeypatch.setenv("SSL_CERT_FILE", str(world.ca_file))
    await upgrade(f"sqlite:///{folder}/newsletter.db")
    async with SmtpServer(tls=world.certificates, login=LOGIN) as relay:
        made = Surroundings(world, folder, relay, monkeypatch)
        made.list_file(LIST)
        made.settings = _settings(folder, world, relay.port)
        yield made


@asynccontextmanager
async def _proxy(made: World, target: int) -> AsyncIterator[int]:
    """Speak TLS in front of the site, as operators let a proxy do; gives the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST") and made.redirects_posts:
                writer.write(
                    b"HTTP/1.1 301 Moved\r\nLocation: https://www.example.org/\r\nContent-Length: 0\r\n\r\n"
                )
            else:
                length = next((line for line in head.lower().split(b"\r\n") if b"content-length" in line), b":0")
                body = await reader.readexactly(int(length.partition(b":")[2]))
                to_site, of_site = await asyncio.open_connection("127.0.0.1", target)
                of_site.write(head + body)
                writer.write(await to_site.read())
                of_site.close()
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=made.certificates.server_context())
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _clock(made: World) -> AsyncIterator[int]:
    """Answer requests as a source does, with the time; gives the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = format_datetime(datetime.now(UTC) + made.clock_is_off, usegmt=True)
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]

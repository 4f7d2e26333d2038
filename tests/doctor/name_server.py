"""A DNS server on loopback, with a zone that tests write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from typing_extensions import override


@dataclass
class Zone:
    """Records by name and type; asked for what is not there, it says that there is no such name."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    port: int = 0
    is_silent: bool = False

    def add(self, name: str, kind: str, *values: str) -> None:
        """Add records; TXT without quotes."""
        self.records.setdefault((f"{name}.", kind), []).extend(
            '"' + '" "'.join(pieces(value)) + '"' if kind == "TXT" else value for value in values
        )

    def replace(self, name: str, kind: str, *values: str) -> None:
        """Put records in the place of all of that name and type."""
        self.records.pop((f"{name}.", kind), None)
        if values:
            self.add(name, kind, *values)

    def answer(self, query: bytes) -> bytes:
        message = dns.message.from_wire(query)
        [question] = message.question
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(message)
        response.flags |= dns.flags.RA
        if found := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


def pieces(text: str) -> Iterable[str]:
    """Return a text in the strings of a TXT record, of 255 bytes at most."""
    return [text[start : start + 255] for start in range(0, len(text), 255)]


class _Server(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: Any = None

    @override
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self._zone.is_silent:
            self._transport.sendto(self._zone.answer(data), addr)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[None]:
    """Answer by a zone for as long as the context lasts; the zone is told the port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(zone), ("127.0.0.1", 0))
    zone.port = transport.get_extra_info("sockname")[1]
    try:
        yield
    finally:
        transport.close()

"""DNS, through dnspython."""

from __future__ import annotations

from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.txtbase import TXTBase
from typing_extensions import override

from newsletter.core.errors import NoAnswerError
from newsletter.core.text import one_line
from newsletter.ports.dns import Dns

_ONE_TRY, _ALL_TRIES = 1.5, 5.0  # seconds
_ROOT = "."


class DnsResolver(Dns):
    """Asks name servers, and remembers what they said.

    Args:
        servers: address and port of each name server; none: those of this machine.
    """

    def __init__(self, servers: Sequence[tuple[str, int]]) -> None:
        self._servers = servers
        self._resolver: dns.asyncresolver.Resolver | None = None

    @override
    async def texts(self, name: str) -> tuple[str, ...]:
        answer = await self._ask(name, "TXT")
        return tuple(
            b"".join(one.strings).decode("utf-8", "replace") for one in answer if isinstance(one, TXTBase)
        )

    @override
    async def addresses(self, name: str) -> tuple[str, ...]:
        found = [*await self._ask(name, "A"), *await self._ask(name, "AAAA")]
        return tuple(str(one) for one in found)

    @override
    async def mail_servers(self, domain: str) -> tuple[str, ...]:
        found = [one for one in await self._ask(domain, "MX") if isinstance(one, MX)]
        found.sort(key=lambda one: one.preference)
        return tuple(one.exchange.to_text(omit_final_dot=True).removesuffix(_ROOT) for one in found)

    @override
    async def names(self, address: str) -> tuple[str, ...]:
        answer = await self._ask(dns.reversename.from_address(address).to_text(), "PTR")
        return tuple(str(one).removesuffix(_ROOT) for one in answer)

    async def _ask(self, name: str, kind: str) -> Sequence[dns.rdata.Rdata]:
        try:
            resolver = self._resolver = self._resolver or self._made()
            answer = await resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return ()
        except (
            dns.exception.DNSException,
            OSError,
            ValueError,
        ) as error:  # ValueError: of a name with odd letters
            raise NoAnswerError(f"no answer from DNS to {kind} of {one_line(name, 80)}: {_why(error)}") from error
        return tuple(answer.rrset or ())

    def _made(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in self._servers]
        resolver.timeout, resolver.lifetime = _ONE_TRY, _ALL_TRIES
        resolver.cache = dns.resolver.LRUCache()
        return resolver


def _why(error: Exception) -> str:
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return f"none within {_ALL_TRIES:g} seconds"
    return one_line(str(error), 200)

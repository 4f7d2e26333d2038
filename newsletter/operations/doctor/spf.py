"""Whether SPF (RFC 7208) lets our relays send for a domain, and whether receivers can read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.core.sending_providers import included_for
from newsletter.core.spf import MOST_LOOKUPS, MOST_VOID_LOOKUPS, SpfTerm, is_spf, read_spf
from newsletter.core.text import one_line
from newsletter.ports.dns import Dns

_Ip: TypeAlias = "IPv4Address | IPv6Address"

_COUNTED = 3 * MOST_LOOKUPS  # what comes after that is not looked at: a record may include itself
_MX_LOOKED_AT = 10  # 4.6.4


@dataclass(frozen=True, slots=True)
class SendingHost:
    """A relay as SPF sees it: the name of its host, and whether it is this machine, which sends by itself."""

    host: str
    is_own: bool


class _SpfError(Exception):
    """Receivers cannot use the record; says why."""


@dataclass(slots=True)
class _Walk:
    """A reading of a record and of all that it includes. Every term is looked at, also behind one that fits."""

    dns: Dns
    lookups: int = 0
    voids: list[str] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)

    async def results(self, domain: str, ips: Sequence[_Ip]) -> dict[_Ip, str]:
        """Return what the record of a domain says of addresses: pass, fail, softfail or neutral.

        Raises:
            _SpfError: it is wrong, or what it includes is.
        """
        self.domains.add(domain.lower())
        terms = await self._terms(domain)
        has_all = any(term.kind == "all" for term in terms)
        results = dict.fromkeys(ips, "")
        for term in terms:
            if term.kind == "redirect" and has_all:
                continue  # 6.1
            fitting = await self._fitting(term, domain, ips)
            for ip, result in results.items():
                results[ip] = result or fitting.get(ip, "")
        return {ip: result or "neutral" for ip, result in results.items()}

    async def _terms(self, domain: str) -> tuple[SpfTerm, ...]:
        records = [text for text in await self.dns.texts(domain) if is_spf(text)]
        if not records:
            raise _SpfError(f"{domain} has no SPF record")
        if len(records) > 1:
            raise _SpfError(f"{domain} has {len(records)} SPF records, and receivers take none of them then")
        try:
            return read_spf(records[0])
        except ValueError as error:
            raise _SpfError(f"the SPF record of {domain} is wrong: {one_line(str(error), 100)}") from None

    async def _fitting(self, term: SpfTerm, domain: str, ips: Sequence[_Ip]) -> dict[_Ip, str]:
        """Return the addresses that a term fits, with what it says of them."""
        self.lookups += term.asks
        target = term.value or domain
        if self.lookups > _COUNTED or (term.asks and (term.has_macro or term.kind in {"ptr", "exists"})):
            return {}
        if term.kind == "all":
            return dict.fromkeys(ips, term.result)
        if term.kind in {"include", "redirect"}:
            inner = await self.results(target, ips)
            if term.kind == "redirect":
                return inner
            return {ip: term.result for ip, result in inner.items() if result == "pass"}
        addresses = await self._addresses(term, target)
        return {ip: term.result for ip in ips if term.covers(ip, addresses)}

    async def _addresses(self, term: SpfTerm, target: str) -> list[str]:
        if not term.asks:
            return []
        hosts = [target]
        if term.kind == "mx":
            hosts = [name for name in await self.dns.mail_servers(target) if name][:_MX_LOOKED_AT]
        found = [address for host in hosts for address in await self.dns.addresses(host)]
        if not found:
            self.voids.append(target)
        return found


async def spf(dns: Dns, domain: str, hosts: Sequence[SendingHost], machine: str) -> list[Diagnosis]:
    """Return whether a domain's SPF record can be read, and lets relays send.

    Args:
        dns: DNS.
        domain: that of the envelope sender.
        hosts: the relays.
        machine: the full name of this machine; nothing where it has none.
    """
    if not any(map(is_spf, await dns.texts(domain))):
        says = f"{domain}: there is no SPF record"
        return [fail("spf", says, f"publish a TXT record at {domain}: v=spf1 {_to_include(hosts)} ~all")]
    ips = {host: await _sending_addresses(dns, host, machine) for host in hosts}
    walk = _Walk(dns)
    try:
        results = await walk.results(domain, [ip for some in ips.values() for ip in some])
    except _SpfError as error:
        return [fail("spf", f"{domain}: {error}", "mend the record: receivers take it as an error")]
    if walk.lookups > MOST_LOOKUPS:
        number = f"at least {_COUNTED}" if walk.lookups > _COUNTED else walk.lookups
        says = f"{domain}: its SPF record takes {number} lookups, of at most {MOST_LOOKUPS}"
        return [fail("spf", says, "remove what you do not send by, or write networks (ip4:) in place of names")]
    if len(walk.voids) > MOST_VOID_LOOKUPS:
        says = f"{domain}: its SPF record names {', '.join(walk.voids[:5])}, which DNS does not know"
        return [fail("spf", says, "remove these: receivers take more than two as an error")]
    troubles = [one for host in hosts if (one := _trouble(domain, host, ips[host], results, walk.domains))]
    good = f"{domain}: {walk.lookups} of {MOST_LOOKUPS} lookups; {_allowed(hosts, ips)}"
    return troubles or [ok("spf", good)]


def _trouble(
    domain: str, host: SendingHost, ips: Sequence[_Ip], results: dict[_Ip, str], included: set[str]
) -> Diagnosis | None:
    """Return that a relay is not seen to be allowed, or None."""
    refused = [ip for ip in ips if results[ip] != "pass"]
    if host.is_own:
        if not refused:
            return None
        says = (
            f"{domain}: its SPF record does not allow {refused[0]}, this machine's address ({results[refused[0]]})"
        )
        network = f"ip{refused[0].version}:{refused[0]}"
        return fail("spf", says, f"add {network} to the record, before all")
    wanted = included_for(host.host)
    if wanted == "" or (ips and not refused) or (wanted and wanted in included):
        return None
    if wanted:
        says = f"{domain}: its SPF record does not include {wanted}, by which {host.host} sends"
        return fail("spf", says, f"add include:{wanted} to the record, before all")
    if any(name.endswith(_organization(host.host)) for name in included):
        return None
    says = f"{domain}: its SPF record names nothing of {host.host}"
    return warn(
        "spf", says, "ask who runs the relay what to include; `newsletter doctor --send-to` shows the result"
    )


def _organization(host: str) -> str:
    """Return the end of a host's name that others of the same owner are likely to have."""
    return ".".join(host.lower().rstrip(".").split(".")[-2:])


def _to_include(hosts: Sequence[SendingHost]) -> str:
    wanted = [included_for(host.host) for host in hosts if not host.is_own]
    return " ".join(f"include:{one}" for one in wanted if one) or "mx"


def _allowed(hosts: Sequence[SendingHost], ips: dict[SendingHost, list[_Ip]]) -> str:
    """Return of which relays the record is known to speak."""
    unknown = [host.host for host in hosts if host.is_own and not ips[host]]
    if unknown:
        return f"by what address {unknown[0]} sends is not known here"
    by_own_domain = [host.host for host in hosts if included_for(host.host) == ""]
    if by_own_domain:
        return f"{by_own_domain[0]} may write an envelope of its own domain"
    return "it allows " + ", ".join(host.host for host in hosts)


async def _sending_addresses(dns: Dns, host: SendingHost, machine: str) -> list[_Ip]:
    """Return the addresses that a relay sends from, as far as its name tells."""
    name = machine if host.is_own else host.host
    found = [ip_address(one) for one in await dns.addresses(name)] if name else []
    return [one for one in found if not one.is_loopback]

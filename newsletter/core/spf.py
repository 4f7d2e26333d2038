"""SPF records (RFC 7208): who may send mail with a domain in its envelope."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

MOST_LOOKUPS = 10  # 4.6.4: of the terms that ask DNS; with more, the record is in error
MOST_VOID_LOOKUPS = 2  # those among them to which DNS has no answer

_ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_KNOWN = frozenset({*_ASKING, "all", "ip4", "ip6"})
_MODIFIER = re.compile(r"([A-Za-z][\w.-]*)=(.*)")
_MECHANISM = re.compile(r"([-+?~]?)([A-Za-z0-9]+)(?::([^/]+))?(/\d{1,3})?(//\d{1,3})?")
_WITH_MACRO = re.compile(r"([-+?~]?)([A-Za-z0-9]+):(\S+)()()")  # a macro may hold a slash (7.1)
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """A mechanism, or the modifier `redirect`.

    Attributes:
        kind: its name in lower case.
        value: what stands behind the colon; empty: the domain itself.
        result: what it means where it fits: pass, fail, softfail or neutral.
        prefixes: the lengths of IPv4 and IPv6 networks of `a` and `mx`.
        network: that of `ip4` and `ip6`.
    """

    kind: str
    value: str
    result: str
    prefixes: tuple[int, int] = (32, 128)
    network: IPv4Network | IPv6Network | None = None

    @property
    def asks(self) -> bool:
        """Return whether DNS is asked for it."""
        return self.kind in _ASKING

    @property
    def has_macro(self) -> bool:
        """Return whether what it names depends on the mail."""
        return "%" in self.value

    def covers(self, ip: IPv4Address | IPv6Address, addresses: Iterable[str]) -> bool:
        """Return whether an address is in a network of its own, or in those around given addresses."""
        if self.network is not None:
            return ip in self.network
        networks = (
            ip_network(f"{address}/{self.prefixes[':' in address]}", strict=False) for address in addresses
        )
        return any(ip in network for network in networks)


def is_spf(text: str) -> bool:
    """Return whether a TXT record is one of SPF."""
    return text.lower().split(" ")[0] == "v=spf1"


def read_spf(text: str) -> tuple[SpfTerm, ...]:
    """Return the terms of a record in their order, with `redirect` last; other modifiers mean nothing to us.

    Raises:
        ValueError: a term is wrong, so that receivers take none of it.
    """
    terms = [_read_term(word) for word in text.split()[1:]]
    known = [term for term in terms if term is not None]
    return tuple(sorted(known, key=lambda term: term.kind == "redirect"))


def _read_term(word: str) -> SpfTerm | None:
    if modifier := _MODIFIER.fullmatch(word):
        return SpfTerm("redirect", modifier[2], "") if modifier[1].lower() == "redirect" else None
    found = (_WITH_MACRO if "%" in word else _MECHANISM).fullmatch(word)
    if not found:
        raise ValueError(f"{word[:60]!r} is no term")
    sign, kind, value, four, six = found.groups(default="")
    kind = kind.lower()
    if kind not in _KNOWN or kind == "redirect":
        raise ValueError(f"{word[:60]!r} is no mechanism that there is")
    if kind in {"include", "exists", "ip4", "ip6"} and not value:
        raise ValueError(f"{word[:60]!r} names nothing")
    network = None
    if kind in {"ip4", "ip6"}:
        try:
            network = ip_network(f"{value}{four}", strict=False)
        except ValueError:
            raise ValueError(f"{word[:60]!r} is no network") from None
    prefixes = int(four[1:] or 32), int(six[2:] or 128)
    if prefixes[0] > 32 or prefixes[1] > 128:  # noqa: PLR2004 (bits of an address)
        raise ValueError(f"{word[:60]!r} has a prefix that is too long")
    return SpfTerm(kind, value.rstrip("."), _RESULTS[sign or "+"], prefixes, network)

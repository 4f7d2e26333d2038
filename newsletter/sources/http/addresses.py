"""Network addresses: which are public, and how a host is written where only ASCII can be."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import idna

# IPv6 forms that carry an IPv4 address which counts in their place.
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: in the last four bytes
# All that is routed on the public internet is in here (RFC 4291, 2.4). IPv4-compatible and IPv4-translated
# addresses, NAT64 of one's own (RFC 8215) and what IANA gives out for other ends are not.
_UNICAST = IPv6Network("2000::/3")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214: an IPv4 address after these four bytes
_NOT_GLOBAL = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)

_HOST = re.compile(r"[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+\.?")
_LONGEST_HOST = 253  # characters (RFC 1035)


def is_public(address: str) -> bool:
    """Tell whether an IP address can be somebody's public server.

    Private, loopback, link-local (cloud metadata stands there), shared, reserved and multicast addresses are
    not, nor are IPv6 forms that carry such an IPv4 address. Anything that is no IP address is not either.
    """
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found in _NAT64:
            found = IPv4Address(found.packed[-4:])
        elif found not in _UNICAST or found.sixtofour or _is_isatap(found) or found.scope_id:
            return False
    if any(found in network for network in _NOT_GLOBAL if network.version == found.version):
        return False
    return found.is_global and not found.is_multicast


def _is_isatap(address: IPv6Address) -> bool:
    return int.from_bytes(address.packed[8:12], "big") in _ISATAP


def ascii_host(host: str) -> str:
    """Return a host, a name or an IP address without brackets, as it stands in a URL; nothing where it is none.

    Names of other letters than ASCII become their A-labels (UTS 46), as in browsers; those that only the older
    IDNA knows, such as `☃.net`, too.
    """
    if ":" in host:
        return host.lower() if _is_ipv6(host) else ""
    if not host.isascii():
        host = _a_labels(host[:_LONGEST_HOST])
    host = host.lower()
    return host if len(host) <= _LONGEST_HOST and _HOST.fullmatch(host) else ""


def _is_ipv6(host: str) -> bool:
    try:
        # A zone (`fe80::1%eth0`) means something on one machine alone, and may hold any character.
        return "%" not in host and ip_address(host).version == 6  # noqa: PLR2004
    except ValueError:
        return False


def _a_labels(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        pass
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


async def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in the order in which they should be tried.

    Raises:
        OSError: the name has no address, or no name server answers.
    """
    import asyncio  # noqa: PLC0415 - those who only read documents need not wait for it

    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))

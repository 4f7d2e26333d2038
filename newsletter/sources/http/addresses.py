"""Network addresses: which of them are public, and how a host is written in ASCII."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import idna

# IPv6 forms that carry an IPv4 address; the IPv4 address decides.
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: in the last four bytes
# Contains all that is routed on the public internet (RFC 4291, 2.4). It excludes IPv4-compatible and
# IPv4-translated addresses, local NAT64 (RFC 8215) and what IANA assigns to other purposes.
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
    """Return whether an IP address can be that of a public server.

    False for private, loopback, link-local (cloud metadata), shared, reserved and multicast addresses, for IPv6
    forms that carry such an IPv4 address, and for anything that is not an IP address.
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
    """Return a host as a URL has it, in ASCII; nothing if it is no host.

    Args:
        host: a name, or an IP address without brackets. Non-ASCII names become A-labels (UTS 46), as in browsers;
            so do names that only the older IDNA allows, such as `☃.net`.
    """
    if ":" in host:
        return host.lower() if _is_ipv6(host) else ""
    if not host.isascii():
        host = _a_labels(host[:_LONGEST_HOST])
    host = host.lower()
    return host if len(host) <= _LONGEST_HOST and _HOST.fullmatch(host) else ""


def _is_ipv6(host: str) -> bool:
    try:
        # A zone (`fe80::1%eth0`) has a meaning on a single machine only, and may hold any character.
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
    """Return the IP addresses of a host, in the order in which to try them.

    Raises:
        OSError: the name has no address, or no name server answers.
    """
    import asyncio  # noqa: PLC0415 - the process that reads documents does not need it

    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))

"""Which network addresses the public internet has, and which are somebody's own."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes


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
        if found.sixtofour or found.teredo or found.is_site_local:
            return False
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found in _NAT64:
            found = IPv4Address(found.packed[-4:])
    return found.is_global and not found.is_multicast


async def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in the order in which they should be tried.

    Raises:
        OSError: the name has no address, or no name server answers.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))

"""Hosts: how they are written where only ASCII can be, and their IP addresses."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

import idna

_HOST = re.compile(r"[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+\.?")
_LONGEST_HOST = 253  # characters (RFC 1035)


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

"""Hosts: how they are written in ASCII, and their IP addresses."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

import idna

_HOST = re.compile(r"[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+\.?")
_LONGEST_HOST = 253  # characters (RFC 1035)


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
    import asyncio

    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))

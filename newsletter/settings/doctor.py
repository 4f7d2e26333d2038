"""What `newsletter doctor` asks."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from newsletter.settings.group import Group

_DNS = 53
_LAST_PORT = 65535


def _name_servers(value: object) -> object:
    """Read addresses of name servers with commas between them, each with or without a port."""
    if not isinstance(value, str):
        return value
    return tuple(_name_server(part.strip()) for part in value.split(",") if part.strip())


def _name_server(text: str) -> tuple[str, int]:
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = str(ip_address(host))
    except ValueError:
        raise ValueError(
            "write addresses of name servers with commas between, as in 9.9.9.9,192.0.2.1:5353"
        ) from None
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
        raise ValueError(f"the port of {host} is no number from 1 to {_LAST_PORT}")
    return address, int(port or _DNS)


class DoctorSettings(Group):
    """What `newsletter doctor` asks. `resolver`: name servers, address and port; none: those of this machine."""

    resolver: Annotated[tuple[tuple[str, int], ...], NoDecode, BeforeValidator(_name_servers)] = ()

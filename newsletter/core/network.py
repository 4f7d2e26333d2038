"""Which hosts and addresses others can reach."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

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
# Names that no public DNS has (RFC 6761, 6762, 8375, 9476; ICANN's .internal), and those of one's own network.
_NOT_PUBLIC = ("localhost", "local", "internal", "test", "invalid", "onion", "home.arpa", "lan", "alt")


def is_public(address: str) -> bool:
    """Return whether an IP address can be somebody's public server.

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


def on_loopback(host: str) -> bool:
    """Return whether a server's name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")


def is_open_to_all(host: str) -> bool:
    """Return whether a server's name or address is one of the public internet, as far as it tells that itself."""
    return is_public(host) or _is_public_name(host.rstrip("."))


def unreachable(url: str) -> str:
    """Return why readers elsewhere cannot use a web address, or nothing: a host of their own, or no HTTPS."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not is_open_to_all(host):
        return f"{host} is no host that readers elsewhere can reach"
    return "" if parts.scheme == "https" else "is no https:// address, as mail providers ask for"


def _is_public_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." in host and not any(host == name or host.endswith(f".{name}") for name in _NOT_PUBLIC)
    return False

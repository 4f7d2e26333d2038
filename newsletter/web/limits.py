"""How many connections the web pages may hold, in all and for each client, and how long each may take.

Pages share the process, and its file descriptors, with delivery. So idle connections must not use them up. A new
connection is never refused while another one only waits: the connection that has waited longest without a whole
request is closed first.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Protocol

_FEWEST, _MOST = 8, 1000  # connections
_OF_OTHERS = 64  # descriptors: the ledger, its threads, files, sessions with relays


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits. Times are in seconds.

    Attributes:
        connections: of all clients.
        per_client: of each client.
        idle: between two requests.
        head: until a request's head is complete.
        body: from then until the whole request is there.
        answer: until the answer is made and received.
        requests: over one connection.
        head_bytes: of a request's head.
    """

    connections: int = 500
    per_client: int = 50
    idle: float = 5.0
    head: float = 10.0
    body: float = 15.0
    answer: float = 75.0  # the ledger is waited for up to a minute, and who asked is to learn that it failed
    requests: int = 100
    head_bytes: int = 16 * 1024


def connections_for(descriptors: int) -> int:
    """Return how many connections to allow, so that enough file descriptors are left for everything else.

    Half of what others leave is for connections that are accepted before those are closed that make room for them.
    """
    return max(_FEWEST, min((descriptors - _OF_OTHERS) // 2, _MOST))


class Held(Protocol):
    """A connection, for the counting."""

    def drop(self, reason: str) -> None:
        """Close it at once."""
        ...


class Places:
    """The open connections, by client. Those without a request are ordered by how long they have waited."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: dict[Held, str] = {}
        self._waiting: dict[Held, None] = {}
        self._of_client: dict[str, dict[Held, None]] = {}

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._clients)

    def enter(self, connection: Held, address: str) -> bool:
        """Admit a new connection, and close a waiting one for it if necessary; False if none can be closed.

        Args:
            connection: counts as waiting.
            address: the client's IP address, or "" if it is not known.
        """
        client = client_of(address)
        if client and len(self._of_client.get(client, ())) >= self._limits.per_client:
            if not self._make_room(self._of_client[client], "too many of one client"):
                return False
        elif len(self._clients) >= self._limits.connections and not self._make_room(self._waiting, "too many"):
            return False
        self._clients[connection] = client
        self._waiting[connection] = None
        if client:
            self._of_client.setdefault(client, {})[connection] = None
        return True

    def works(self, connection: Held) -> None:
        """Mark a connection as busy: its whole request is there."""
        self._waiting.pop(connection, None)

    def waits(self, connection: Held) -> None:
        """Mark a connection as waiting for its next request, after all others that wait."""
        if connection in self._clients:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def leave(self, connection: Held) -> None:
        """Remove a connection; nothing if it is removed already."""
        client = self._clients.pop(connection, None)
        self._waiting.pop(connection, None)
        if client and (held := self._of_client.get(client)) is not None:
            held.pop(connection, None)
            if not held:
                del self._of_client[client]

    def _make_room(self, among: dict[Held, None], reason: str) -> bool:
        """Close the connection among these that has waited longest; False if none waits."""
        oldest = next((connection for connection in among if connection in self._waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.drop(reason)
        return True


def client_of(address: str) -> str:
    """Return the client of an IP address, or "" if many clients may share the address.

    In IPv6 a client has a whole /64. An address of this machine or of a private network is probably that of a
    reverse proxy, which passes on the requests of all clients.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return client_of(str(ip.ipv4_mapped))
        if ip.is_global:
            return ip.exploded[:19]
    return str(ip) if ip.is_global else ""

"""How many connections the web pages may hold, whose they are, and for how long each may take over a request.

Pages share the process, and its file descriptors, with delivery. Whoever opens connections and says nothing must
cost neither. A newcomer is never turned away while another connection only waits: who has been waiting
for the longest without a whole request has to leave first.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection and all of them may take. Times are in seconds.

    `connections` are those of all clients, `per_client` those of one. `idle` may pass between two requests,
    `head` until a request's head is there, `body` from there until the whole request is, `answer` until the answer
    is made and has been taken. `requests` go over one connection, and a head has `head_bytes`.
    """

    connections: int = 500
    per_client: int = 50
    idle: float = 5.0
    head: float = 10.0
    body: float = 15.0
    answer: float = 60.0
    requests: int = 100
    head_bytes: int = 16 * 1024


def connections_for(descriptors: int) -> int:
    """Return how many connections leave enough of a process's file descriptors to everything else."""
    return max(8, min(descriptors // 2, 1000))


class Held(Protocol):
    """A connection as far as it is counted."""

    def drop(self, reason: str) -> None:
        """Close it at once."""
        ...


class Places:
    """Who holds a connection. The clients that wait stand in the order in which they began to."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: dict[Held, str] = {}
        self._waiting: dict[Held, None] = {}
        self._of_client: dict[str, dict[Held, None]] = {}

    def __len__(self) -> int:
        """Return how many are held."""
        return len(self._clients)

    def enter(self, one: Held, address: str) -> bool:
        """Give a new connection a place, another's if need be; False if all are at work for somebody.

        Args:
            one: the connection; it counts as waiting.
            address: the client's IP address, or "" if that is not known.
        """
        client = client_of(address)
        if client and len(self._of_client.get(client, ())) >= self._limits.per_client:
            if not self._make_room(self._of_client[client], "too many of one client"):
                return False
        elif len(self._clients) >= self._limits.connections and not self._make_room(self._waiting, "too many"):
            return False
        self._clients[one] = client
        self._waiting[one] = None
        if client:
            self._of_client.setdefault(client, {})[one] = None
        return True

    def works(self, one: Held) -> None:
        """Note that a connection has made a whole request, which is being answered."""
        self._waiting.pop(one, None)

    def waits(self, one: Held) -> None:
        """Note that a connection may make its next request: it is the last of those that wait."""
        if one in self._clients:
            self._waiting.pop(one, None)
            self._waiting[one] = None

    def leave(self, one: Held) -> None:
        """Take back a place; nothing if it is taken back already."""
        client = self._clients.pop(one, None)
        self._waiting.pop(one, None)
        if client and (held := self._of_client.get(client)) is not None:
            held.pop(one, None)
            if not held:
                del self._of_client[client]

    def _make_room(self, among: dict[Held, None], reason: str) -> bool:
        """Close the connection among these that has waited for the longest; False if none waits."""
        oldest = next((one for one in among if one in self._waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.drop(reason)
        return True


def client_of(address: str) -> str:
    """Return whose an IP address is, or "" if it may stand for many.

    One customer has a whole /64 of IPv6. An address of this machine or of a private network is likely to be a
    reverse proxy's, with all the world behind it.
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

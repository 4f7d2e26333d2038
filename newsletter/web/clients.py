"""Where a request comes from, and how often each client may ask for something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.requests import Request
from typing_extensions import override

from newsletter.core.errors import StoreError
from newsletter.ports import Clock
from newsletter.ports.shared_counts import SharedCounts
from newsletter.web.limits import client_of

log = structlog.get_logger(__name__)

# Beyond this, counting begins anew: what is bounded by memory alone must not lock anybody out.
_MOST_CLIENTS = 20_000
_AN_HOUR = 3600  # seconds
_LONGEST_CHAIN = 50  # of proxies


class Clients:
    """Tells clients apart by their addresses, also behind proxies of the operator's own."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        """Begin with the networks of proxies whose word counts on where a request comes from."""
        self._trusted = trusted

    def of(self, request: Request) -> str:
        """Return the client of a request, or "" if that is not known."""
        return client_of(self.address(request))

    def is_from(self, request: Request, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
        """Return whether a request comes from one of some networks."""
        ip = _ip(self.address(request))
        return ip is not None and any(ip in network for network in networks)

    def came_by_https(self, request: Request) -> bool:
        """Return whether a visitor's browser speaks TLS with us, or with a trusted proxy in front of us."""
        if request.url.scheme == "https":
            return True
        peer = request.client.host if request.client else ""
        return self._is_trusted(peer) and request.headers.get("X-Forwarded-Proto", "").lower() == "https"

    def address(self, request: Request) -> str:
        """Return the address that a request comes from, as far as it can be known.

        A trusted proxy adds to `X-Forwarded-For` whom it got the request from. What stands before that, an
        untrusted one has written, and anybody may write anything.
        """
        address = request.client.host if request.client else ""
        passed_on = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
        for said in passed_on[: -_LONGEST_CHAIN - 1 : -1]:
            if not self._is_trusted(address) or not said.strip():
                break
            address = said.strip()
        return address

    def _is_trusted(self, address: str) -> bool:
        ip = _ip(address)
        return ip is not None and any(ip in network for network in self._trusted)


def _ip(address: str) -> IPv4Address | IPv6Address | None:
    """Return an address, in IPv4 where it stands for one; None if it is none."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


class Asking(Protocol):
    """How often each client may ask for something."""

    async def take(self, client: str) -> bool:
        """Return whether a client may ask once more, and count it; one that is not known always may."""
        ...


class Quota(Asking):
    """How often, counted in this process alone."""

    def __init__(self, most: int, *, seconds: int = _AN_HOUR) -> None:
        """Begin; each client may ask `most` times, at least once, in so many seconds."""
        self._limit = RateLimitItemPerSecond(most, seconds)
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)

    @override
    async def take(self, client: str) -> bool:
        if not client:
            return True
        if len(self._storage.storage) >= _MOST_CLIENTS:
            await self._storage.reset()
        return await self._limiter.hit(self._limit, client)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedQuota(Asking):
    """How often, counted over all processes that answer visitors, on all machines.

    The ledger counts keyed hashes, so that it holds no visitor's address. Who has asked too often here is refused
    before it: a client causes no more than `most` notes of each process. That holds by itself while the ledger
    cannot be written, as on a full disk: the operator can sign in then, and see why.

    Attributes:
        what: may be asked; each has its own count.
        most: how many times, at least once.
        per: in how long a time, which begins when it is first asked.
        counts: of all processes.
        secret: of the hashes; the program's.
        clock: the present moment.
    """

    what: str
    most: int
    per: timedelta
    counts: SharedCounts
    secret: str = field(repr=False)
    clock: Clock
    _here: Quota = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_here", Quota(self.most, seconds=int(self.per.total_seconds())))

    @override
    async def take(self, client: str) -> bool:
        if not client or not await self._here.take(client):
            return not client
        now = self.clock()
        try:
            return await self.counts.add(self._name(client), now=now, until=now + self.per) <= self.most
        except StoreError as error:
            log.warning("counted_here_alone", what=self.what, reason=str(error))
            return True

    def _name(self, client: str) -> str:
        key = blake2b(self.secret.encode()).digest()
        return f"{self.what} {blake2b(client.encode(), key=key, digest_size=16, person=b'client').hexdigest()}"

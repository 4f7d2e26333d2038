"""Addresses that are not mailed any more, and how far the ledger has come: what operators decide on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.core.suppression import SuppressedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address, or a domain as `@example.org`, that is not mailed any more; or `held`, and mailed still.

    `list` is the list, None: all lists. `evidence` is what shows the reason, and may be empty.
    """

    address: str
    list: str | None
    reason: str
    since: datetime
    by: SuppressedBy = SuppressedBy.OPERATOR
    evidence: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDomain:
    """A domain that called many addresses dead at once, which are held."""

    domain: str
    addresses: int
    since: datetime
    reason: str  # what it said of one of them


class Suppressions(Protocol):
    """Addresses that are not mailed any more, for operators, and those that relays call dead."""

    async def find(
        self,
        *,
        list_name: str | None = None,
        held: bool | None = None,
        address: str | None = None,
        beginning: str | None = None,
        after: Suppression | None = None,
        limit: int | None = None,
    ) -> list[Suppression]:
        """Return suppressions, held addresses among them, by address and list.

        Args:
            list_name: narrows to one list, those for all lists included.
            held: only addresses that are held, or only those that are not; None: both.
            address: narrows to one.
            beginning: narrows to addresses that begin so.
            after: only those that come after this one: the last of what was returned before.
            limit: how many at most; None: all.
        """
        ...

    async def number(self, *, list_name: str | None = None, held: bool | None = None) -> int:
        """Return how many `find` would return without a limit."""
        ...

    async def add(self, suppressions: Sequence[Suppression], *, now: datetime) -> int:
        """Suppress addresses and domains, some in each transaction; return how many are news.

        What is held of them is decided by that. `Subscribers.suppress` says what it means.
        """
        ...

    async def lift(self, addresses: Sequence[str], *, list_name: str | None, now: datetime) -> None:
        """Mail these addresses again, all in one transaction.

        Those suppressed for one list or (None) for all lists, or held. Their subscribers are active again, where
        no other suppression is left.

        Raises:
            UsageError: one of them is neither; nothing was changed.
        """
        ...

    async def judge(self, *, now: datetime) -> list[HeldDomain]:
        """Decide on the addresses that relays called dead since this was asked last.

        They are suppressed, or held (`core.dead_addresses`). What was held and is taken again is forgotten.

        Returns:
            The domains of which addresses are held from now on.
        """
        ...

    async def held(self) -> list[HeldDomain]:
        """Return the domains of which addresses are held."""
        ...

    async def held_on(self, list_name: str) -> int:
        """Return how many subscribers of a list have addresses that are held."""
        ...


class Reached(NamedTuple):
    """How far a ledger has come: its identity, which it was given when it was made, and its mark.

    The identity is empty where the ledger doesn't outlive the process. `copied_at` is set in a backup: when it was
    made. `place` names the database in which the ledger stands; another ledger may take that place.
    """

    ledger: str
    mark: int
    copied_at: datetime | None
    place: str


class HighWater(Protocol):
    """How far a ledger has come, to be kept outside of it too: an older copy in its place is noticed."""

    async def read(self) -> Reached:
        """Return how far it has come."""
        ...

    async def advance(self, *, at_least: int = 0) -> int:
        """Raise the mark by one, or to what it must be at least; return it when it is durable."""
        ...

    async def accept(self, *, at_least: int) -> int:
        """Do the same, and let a backup be the ledger from now on."""
        ...

"""All that is known of one person, to be told or to be erased (GDPR, articles 15 and 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from newsletter.ports.subscribers import SubscriberRecord


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a person's data came to: how many rows of each kind, and since when they are erased."""

    rows: Mapping[str, int]
    since: datetime

    @property
    def is_news(self) -> bool:
        """Return whether anything was known."""
        return any(self.rows.values())


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one person.

    Attributes:
        records: their lists and wishes, in the order in which they came.
        erased: since when their data is erased; None: it is not.
        rows: what else is known, by what it is. Values are such as JSON shows, and moments: aware, UTC.
    """

    records: Sequence[SubscriberRecord]
    erased: datetime | None
    rows: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def is_anything(self) -> bool:
        """Return whether anything is known."""
        return bool(self.records) or self.erased is not None or any(self.rows.values())


class PersonalData(Protocol):
    """All that the ledger holds of one person, whatever lists they are or were on."""

    async def known(self, address: str) -> Known:
        """Return all that is known of an address, as of one moment."""
        ...

    async def erased_since(self, address: str) -> datetime | None:
        """Return when the data of an address was erased, or None."""
        ...

    async def unrecognised(self) -> int:
        """Return how many erased people are recognised no longer, as the secret of that time is not set."""
        ...

    async def erase(self, address: str, *, now: datetime) -> Erasure:
        """Erase what is known of an address, in one transaction; safe to repeat.

        What is not sent to them yet is withdrawn. Their deliveries stay, and are nobody's, so that the counts of
        issues stay true. A keyed hash of the address stays (`core.erasure`), so that no file, import or command
        brings them back: only their own confirmation does, unless the operator had suppressed them on all lists.
        """
        ...

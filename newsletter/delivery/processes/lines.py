"""What a process and those that deliver for it tell each other: orders, and news; each is a line of JSON."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from newsletter.ports import ChunkReport

LENGTH = struct.Struct(">I")  # of the settings, which come before the first order
MOST_BYTES = 1024 * 1024  # of a line
_LONGEST_VALUE = 4096  # characters of a value that is logged


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Deliver what is due of an issue: see `ports.ChunkDelivery`. `chunk` is the number of the order.

    `due_by` is in ISO 8601. `context` stands on each line that is logged meanwhile.
    """

    chunk: int
    issue_key: int
    most: int | None = None
    due_by: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> datetime | None:
        """Return by when deliveries are due that are meant; None: also those that become due meanwhile."""
        return None if self.due_by is None else datetime.fromisoformat(self.due_by)


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is in flight of a chunk."""

    chunk: int


@dataclass(frozen=True, slots=True)
class Settled:
    """So many more deliveries of a chunk were settled, by state."""

    chunk: int
    states: dict[str, int]


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk has ended; `report` has the fields of `ports.ChunkReport`."""

    chunk: int
    report: dict[str, Any]

    @classmethod
    def of(cls, chunk: int, report: ChunkReport) -> Done:
        """Return what says how a chunk ended."""
        return cls(chunk, asdict(report))


@dataclass(frozen=True, slots=True)
class LedgerFailed:
    """A chunk has ended, as the ledger can't be read or written."""

    chunk: int
    reason: str


@dataclass(frozen=True, slots=True)
class Logged:
    """Something was logged at a level: the event's name and its values."""

    level: str
    event: str
    values: dict[str, Any]


Order = Deliver | Stop
News = Settled | Done | LedgerFailed | Logged
_KINDS: dict[str, type[Order | News]] = {
    kind.__name__: kind for kind in (Deliver, Stop, Settled, Done, LedgerFailed, Logged)
}


def line_of(said: Order | News) -> bytes:
    """Return an order or news as a line."""
    return json.dumps([type(said).__name__, asdict(said)], default=_in_words).encode() + b"\n"


def read_line(line: bytes) -> Order | News:
    """Return what a line says."""
    kind, values = json.loads(line)
    return _KINDS[kind](**values)


def loggable(value: object) -> object:
    """Return a value that is logged as one that fits into a line."""
    if isinstance(value, str):
        return value[:_LONGEST_VALUE]
    return value if value is None or isinstance(value, int | float) else _in_words(value)


def _in_words(value: object) -> str:
    return str(value)[:_LONGEST_VALUE]

"""The certificate of a server, as TLS shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FEW_DAYS = 14  # most certificates are renewed 30 days before their end


@dataclass(frozen=True, slots=True)
class Certificate:
    """The names that a certificate is for, and the moment of its end (aware)."""

    names: tuple[str, ...]
    ends: datetime

    @classmethod
    def of(cls, peer: Mapping[str, Any]) -> Certificate:
        """Read what `ssl.SSLSocket.getpeercert` returns of a certificate that was checked.

        Raises:
            ValueError: it has no end, or one of another form.
        """
        try:
            month, day, time, year, _ = str(peer["notAfter"]).split()
            ends = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{time}"
            moment = datetime.fromisoformat(ends).replace(tzinfo=UTC)
        except (KeyError, ValueError):
            raise ValueError("the certificate does not say when it ends") from None
        alternatives: Iterable[tuple[str, str]] = peer.get("subjectAltName", ())
        return cls(tuple(name for _, name in alternatives), moment)

    def days_left(self, now: datetime) -> int:
        """Return for how many whole days it is still valid."""
        return (self.ends - now).days

    def ends_soon(self, now: datetime) -> bool:
        """Return whether it should have been renewed by now."""
        return self.days_left(now) < _FEW_DAYS

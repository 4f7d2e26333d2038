"""How often a service may be asked. Not in `pacing`, so that the process that reads documents needs no asyncio."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """At most one request in `seconds`, and never two at a time, to the service `name`.

    Of requests that wait, a lower `rank` goes first. `part` names a part of the service that may have had too many
    requests while the rest has not.
    """

    name: str
    seconds: float
    rank: int = 0
    part: str = ""

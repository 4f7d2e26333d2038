"""How many processes deliver, and what is each one's share of what they have in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

# Messages a second that one process hands over without trouble: relays with lower rates need no more processes.
_ONE_PROCESS = 1000.0
# More are not started unasked: they write to one ledger, and each takes some 70 MB.
_MOST_UNASKED = 8


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes deliver at most, and why they are fewer than the operator asked for, or nothing."""

    count: int
    reason: str = ""


def processes_for(
    wanted: int, *, cores: int, connections: Collection[int], at_once: Collection[int], rate: float
) -> Processes:
    """Return how many processes deliver at most.

    Each needs a connection of its own to each relay, and one message at a time to each domain.

    Args:
        wanted: what the operator asks for; 0: as many as there are cores, up to eight, and one where the rate is
            low.
        cores: how many cores the program may use.
        connections: how many each relay takes.
        at_once: how many messages domains get at the same time, where that is limited.
        rate: messages a second that all relays together are given; 0: no limit.
    """
    fewest = min(connections)
    bounds = {fewest: f"a relay takes {fewest} connections"}
    bounds |= {most: f"a domain gets {most} messages at the same time" for most in at_once}
    bound = min(bounds)
    if wanted:
        return Processes(wanted) if wanted <= bound else Processes(bound, bounds[bound])
    return Processes(1 if 0 < rate <= _ONE_PROCESS else min(cores, bound, _MOST_UNASKED))


def share(total: int, place: int, count: int) -> int:
    """Return what falls to the process at a place (from 0) among `count`; all shares together make the total."""
    return total // count + (place < total % count)

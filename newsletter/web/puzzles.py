"""Puzzles for clients that want to sign up, where the operator asks for them: each is solved once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from secrets import randbelow, token_hex
from typing import Any

from newsletter.core.proof_of_work import MOST_TRIES, VALID_FOR, challenge, solved
from newsletter.ports import Clock
from newsletter.ports.shared_counts import SharedCounts


@dataclass(slots=True, kw_only=True)
class Puzzles:
    """Makes puzzles and takes solutions. Which were used is known to all processes that share the ledger.

    Attributes:
        secret: signs them; the program's.
        counts: how often each was used, over all processes.
        clock: the present moment.
    """

    secret: str
    counts: SharedCounts
    clock: Clock

    def new(self) -> dict[str, Any]:
        """Return a puzzle, as JSON has it."""
        return asdict(challenge(self.secret, nonce=token_hex(12), number=randbelow(MOST_TRIES), now=self.clock()))

    async def take(self, proof: str) -> bool:
        """Return whether a proof solves a puzzle of ours, for the first time."""
        now = self.clock()
        solution = solved(self.secret, proof, now=now)
        return solution is not None and await self._uses(solution, now) == 1

    async def _uses(self, solution: str, now: datetime) -> int:
        return await self.counts.add(f"puzzle {solution}", now=now, until=now + VALID_FOR)

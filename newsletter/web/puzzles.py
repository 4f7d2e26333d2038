"""Puzzles for clients that want to sign up, where the operator asks for them: each is solved once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from secrets import randbelow, token_hex
from typing import Any

from newsletter.core.proof_of_work import MOST_TRIES, challenge, solved
from newsletter.ports import Clock

# Beyond this, the oldest are forgotten: then one could be used again until its time is over.
_MOST_USED = 50_000


@dataclass(slots=True, kw_only=True)
class Puzzles:
    """Makes puzzles and takes solutions. Which were used is known to this process alone.

    Attributes:
        secret: signs them; the program's.
        clock: the present moment.
    """

    secret: str
    clock: Clock
    _used: dict[str, datetime] = field(default_factory=dict, init=False)

    def new(self) -> dict[str, Any]:
        """Return a puzzle, as JSON has it."""
        return asdict(challenge(self.secret, nonce=token_hex(12), number=randbelow(MOST_TRIES), now=self.clock()))

    def take(self, proof: str) -> bool:
        """Return whether a proof solves a puzzle of ours, for the first time."""
        now = self.clock()
        solution = solved(self.secret, proof, now=now)
        if solution is None or solution in self._used:
            return False
        self._used[solution] = now
        if len(self._used) > _MOST_USED:
            del self._used[next(iter(self._used))]
        return True

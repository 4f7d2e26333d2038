"""What came of the texts of papers that a list wants of a model, counted with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from newsletter.core.machine_summary import MachineTextKind
from newsletter.core.summarizing import WantedPaper

_NAMES = ("made", "known", "refused", "failed", "left")
_MOST_REASONS = 10
_LONGEST_REASON = 200  # characters


class SummaryCounts:
    """Counts of texts; a paper whose title is translated too has two of them.

    What is known was made by an earlier run. What is refused was written, but is not used. What failed was asked
    for in vain, and what is left was not asked for; both are asked for by the next run.
    """

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._open: set[tuple[int, MachineTextKind]] = set()
        self.stopped = ""  # why nothing more is asked for

    def open(self, papers: Iterable[WantedPaper]) -> None:
        """Note texts that are wanted."""
        self._open |= {(paper.key, kind) for paper in papers for kind in paper.kinds}

    def is_open(self, key: int, kind: MachineTextKind) -> bool:
        """Return whether nothing was counted of a text yet."""
        return (key, kind) in self._open

    def done(self, key: int, kind: MachineTextKind, what: str, reason: str = "") -> None:
        """Count what became of a text, `made`, `known`, `refused` or `failed`, and why."""
        self._open.discard((key, kind))
        self._add(what, reason, 1)

    def without_use(self, key: int, kind: MachineTextKind) -> None:
        """Leave a text out that is of no use without another one."""
        self._open.discard((key, kind))

    def left(self, reason: str, number: int) -> None:
        """Count texts that cannot be asked for."""
        self._add("left", reason, number)

    def stop(self, reason: str) -> None:
        """Note why nothing more is asked for; the first reason counts."""
        self.stopped = self.stopped or reason

    def end(self) -> None:
        """Count as left all that nothing came of."""
        if self._open:
            self._add("left", self.stopped or "another process asks for it", len(self._open))
            self._open.clear()

    def _add(self, what: str, reason: str, number: int) -> None:
        self._numbers[what] += number
        if reason:
            self._reasons[what, reason[:_LONGEST_REASON]] += number

    def as_json(self) -> dict[str, Any]:
        """Return the counts, and the most frequent reasons with theirs."""
        reasons = {
            f"{what}: {reason}": number for (what, reason), number in self._reasons.most_common(_MOST_REASONS)
        }
        return {**{name: self._numbers[name] for name in _NAMES}, "reasons": reasons}

    def in_words(self) -> str:
        """Return the counts in words, and the most frequent reason."""
        counts = ", ".join(f"{self._numbers[name]:,} {name}" for name in _NAMES if self._numbers[name])
        [why] = [reason for (_, reason), _ in self._reasons.most_common(1)] or [""]
        return (counts or "none wanted") + (f" ({why})" if why else "")

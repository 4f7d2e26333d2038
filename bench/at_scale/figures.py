"""What was measured, beside what it should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The most that each figure of a step should be with 1,000,000 readers.
GOALS: dict[str, dict[str, float]] = {
    "--version": {"cpu_s": 0.25, "rss_mb": 60},
    "--help": {"cpu_s": 0.25, "rss_mb": 60},
    "status, 10 readers": {"cpu_s": 0.7},
    "run, first": {"rss_mb": 200, "lock_closing_s": 1},
    "run, nothing to do": {"cpu_s": 2, "rss_mb": 120},
    "run, one row changed": {"cpu_s": 15, "rss_mb": 200},
    "status": {"wall_s": 1, "rss_mb": 120},
    "serve, idle": {"cpu_percent": 1, "rss_mb": 150, "healthz_p99_ms": 50},
    "serve, an issue is closed": {"healthz_p99_ms": 200, "leaving_p99_ms": 200, "lock_s": 1},
    "serve, an issue is sent": {"healthz_p99_ms": 200, "leaving_p99_ms": 200},
    "subscribers plan": {"wall_s": 30, "rss_mb": 200},
    "subscribers apply": {"wall_s": 60, "rss_mb": 200},
    "db copy": {"rss_mb": 200},
    "subscribers plan, nothing to do": {"wall_s": 3, "rss_mb": 200},
}

# How a figure is shown: its words, and how many decimals it has.
_SHOWN = {
    "cpu_s": ("s CPU", 2),
    "cpu_percent": ("% CPU", 1),
    "wall_s": ("s", 2),
    "rss_mb": ("MB", 0),
    "sent": ("mails", 0),
    "rows": ("rows", 0),
    "rows_per_s": ("rows/s", 0),
    "lock_s": ("s lock", 2),
    "lock_sync_s": ("s lock, sync", 2),
    "lock_closing_s": ("s lock, closing", 2),
    "lock_sending_s": ("s lock, sending", 2),
    "healthz_p50_ms": ("ms healthz p50", 0),
    "healthz_p99_ms": ("ms healthz p99", 0),
    "healthz_max_ms": ("ms healthz max", 0),
    "leaving_p50_ms": ("ms leaving p50", 0),
    "leaving_p99_ms": ("ms leaving p99", 0),
    "leaving_max_ms": ("ms leaving max", 0),
    "late_p99_ms": ("ms late p99", 1),
}


@dataclass(frozen=True)
class Row:
    """The figures of a step."""

    program: str  # which: "today", or an older commit
    database: str
    step: str
    figures: Mapping[str, float]
    goals: Mapping[str, float] = field(init=False)

    def __post_init__(self) -> None:
        goals = {name: goal for name, goal in GOALS.get(self.step, {}).items() if name in self.figures}
        object.__setattr__(self, "goals", goals)

    def met(self, name: str) -> bool:
        """Return whether a figure is within its goal."""
        return self.figures[name] <= self.goals[name]

    def as_json(self) -> dict[str, Any]:
        """Return the row for machines."""
        return {
            "program": self.program,
            "database": self.database,
            "step": self.step,
            **{name: round(value, 4) for name, value in self.figures.items()},
            "goals": dict(self.goals),
            "met": all(map(self.met, self.goals)) if self.goals else None,
        }

    def as_text(self) -> str:
        """Return the row for people: each figure that has a goal says whether the goal is met."""
        shown = []
        for name, value in self.figures.items():
            words, decimals = _SHOWN[name]
            goal = f" ({'ok' if self.met(name) else 'NOT'} ≤ {self.goals[name]:g})" if name in self.goals else ""
            shown.append(f"{value:,.{decimals}f} {words}{goal}")
        return f"  {self.step:<26} {' · '.join(shown)}"


def percentiles(name: str, seconds: Iterable[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the longest of some times, in ms; nothing of none."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        f"{name}_{share}_ms": 1000 * ordered[min(int(part * len(ordered)), len(ordered) - 1)]
        for share, part in shares.items()
    }


def ratios(rows: Sequence[Row], older: str) -> dict[str, float]:
    """Return goals over figures, and figures of an older commit over today's: above 1 is good."""
    found = {}
    before = {(row.database, row.step): row.figures for row in rows if row.program == older}
    for row in rows:
        if row.program == older:
            continue
        for name, goal in row.goals.items():
            value, where = row.figures[name], f"{row.database}, {row.step}, {name}"
            if not value:
                continue
            found[where] = round(goal / value, 2)
            if then := before.get((row.database, row.step), {}).get(name):
                found[f"{where}, beside {older}"] = round(then / value, 2)
    return found

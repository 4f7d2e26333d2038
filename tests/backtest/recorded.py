"""A week as a community page would have it, written as recordings in its wire format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

MONDAY, TUESDAY, FRIDAY = date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 13)


def entry(number: int, upvotes: int) -> dict[str, Any]:
    """Return a record of the API, with what of it is read here."""
    title = f"Paper number {number}"
    paper = {"id": f"2603.{number:05}", "title": title, "summary": "We study it.", "upvotes": upvotes}
    return {"paper": paper, "title": title, "numComments": 0}


def record(folder: Path, day: date, state: str, votes: Mapping[int, int]) -> None:
    """Write what the page of a day said: papers by number with their votes, most upvoted first."""
    page = [entry(number, votes[number]) for number in sorted(votes, key=lambda item: -votes[item])]
    (folder / f"{day}.{state}.json").write_text(json.dumps(page), encoding="utf-8")


def a_week(folder: Path) -> None:
    """Write five days of twelve papers: eight are there in the morning, the best four come later."""
    for offset in range(5):
        day, base = date(2026, 3, 9 + offset), 100 * offset
        early = {base + number: number for number in range(1, 9)}
        late = {base + number: 10 * number for number in range(9, 13)}
        record(folder, day, "morning", early)
        record(folder, day, "final", {number: 2 * votes for number, votes in early.items()} | late)
    record(folder, date(2026, 3, 14), "final", {})
    record(folder, date(2026, 3, 15), "final", {})

"""A source that shows what a test tells it to, and a desk that works with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from newsletter.core.errors import SourceError
from newsletter.core.listing import Entry, Listing, Page, Sighting, Skipped
from newsletter.ports import Store
from tests.editions.desk import LIST, Desk

THURSDAY = date(2026, 3, 12)

MakeDesk = Callable[..., Desk]


@dataclass
class ScriptedSource:
    """Shows papers by their titles, day by day."""

    name: str = "huggingface"
    dated: bool = True
    pages: dict[date, list[str]] = field(default_factory=dict)
    failing: set[date] = field(default_factory=set)
    broken: bool = False
    asked: list[date] = field(default_factory=list)

    async def read(self, day: date, *, now: datetime) -> Page:
        self.asked.append(day)
        if self.broken:
            raise RuntimeError("a defect")
        if day in self.failing:
            raise SourceError(f"{self.name}: answered 500")
        entries = tuple(
            Entry(
                listing=Listing(title=title, abstract="We study it.", url=f"https://example.org/{title}"),
                sighting=Sighting(source=self.name, listed_on=day, seen_at=now, position=position),
            )
            for position, title in enumerate(self.pages.get(day, []))
        )
        return Page(entries=entries, skipped=(Skipped(what="odd", reason="has no title"),) if entries else ())


def desk_with(folder: Path, store: Store, *sources: ScriptedSource, **wishes: object) -> Desk:
    """Return a desk whose list has one reader and these sources."""
    desk = Desk(folder, store, list_=replace(LIST, **{"max_listings": 0, **wishes}))  # type: ignore[arg-type]
    desk.subscribe("ann")
    desk.sources = list(sources)
    return desk

"""Sources that are read for the first time since a backup was restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from typing_extensions import override

from newsletter.core.listing import Page
from newsletter.core.restoring import dated_before
from newsletter.ports import CatchesUp, Source, Store


class FirstReading(Source):
    """A source without days of its own, of which nobody knows what it showed until a moment."""

    dated = False

    def __init__(self, source: Source, unknown_until: date) -> None:
        self.name = source.name
        self._source, self._unknown_until = source, unknown_until

    @override
    async def read(self, day: date, *, now: datetime) -> Page:
        page = await self._source.read(day, now=now)
        return replace(page, entries=dated_before(page.entries, self._unknown_until))


async def with_first_readings(store: Store, sources: Sequence[Source]) -> list[Source]:
    """Return sources; those as `FirstReading` that were not read since the time that a restored backup lacks.

    Sources that show single days say of each entry when it was there.
    """
    until = await store.restored.assumed_until()
    if until is None:
        return list(sources)
    found: list[Source] = []
    for source in sources:
        is_told = source.dated or isinstance(source, CatchesUp)
        read_at = None if is_told else (await store.library.health(source.name)).read_at
        is_known = is_told or (read_at is not None and read_at > until)
        found.append(source if is_known else FirstReading(source, until.date()))
    return found

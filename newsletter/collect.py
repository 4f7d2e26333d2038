"""Collect: ask a list's sources for their pages and record what they show. Safe to repeat; only adds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from newsletter.core.diff import days_to_read
from newsletter.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from newsletter.core.listing import Page
    from newsletter.ports import Library, Source

log = structlog.get_logger(__name__)

# A source that failed this often in a row is left alone until the next run; its pages stay open until then.
_PATIENCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What collecting for one issue brought."""

    listed: Mapping[str, int]  # by scheme: listings that the sources list on the issue's own day
    pages: int = 0  # pages that were read, empty ones too
    read: int = 0  # listings on them, each day's counted
    new: int = 0  # of them unknown until now
    skipped: int = 0  # records that could not be read
    repeats: tuple[str, ...] = ()  # what was left out because an earlier entry of its page is the same paper
    failures: Mapping[str, str] = field(default_factory=dict)  # by source: why it could not be read

    @property
    def nothing_answered(self) -> bool:
        """Tell whether there were sources, and not one page of any could be read."""
        return bool(self.failures) and not self.pages


@dataclass(slots=True)
class _Tally:
    """One source's share, counted while it is read."""

    source: str
    listed: int = 0
    pages: int = 0
    read: int = 0
    new: int = 0
    skipped: int = 0
    repeats: list[str] = field(default_factory=list)
    failure: str = ""


async def collect(
    sources: Sequence[Source],
    library: Library,
    *,
    day: date,
    lookback_days: int,
    previous: date | None,
    now: datetime,
) -> Collected:
    """Read all sources side by side for an issue of `day`.

    Args:
        sources: where to look.
        library: where pages are recorded, each as soon as it is read.
        day: the issue's day; sources are asked for nothing later.
        lookback_days: how many days before it are read again.
        previous: the day of the list's previous issue; the days since are read too.
        now: the moment, for the record.

    A source that fails is named in the result and costs the others nothing.
    """
    tallies = await asyncio.gather(
        *(_collect_one(source, library, day, lookback_days, previous, now) for source in sources)
    )
    listed: dict[str, int] = {}
    for tally in tallies:
        scheme = tally.source.partition(":")[0]
        listed[scheme] = listed.get(scheme, 0) + tally.listed
    return Collected(
        listed=listed,
        pages=sum(tally.pages for tally in tallies),
        read=sum(tally.read for tally in tallies),
        new=sum(tally.new for tally in tallies),
        skipped=sum(tally.skipped for tally in tallies),
        repeats=tuple(repeat for tally in tallies for repeat in tally.repeats),
        failures={tally.source: tally.failure for tally in tallies if tally.failure},
    )


async def _collect_one(
    source: Source, library: Library, day: date, lookback_days: int, previous: date | None, now: datetime
) -> _Tally:
    days: tuple[date, ...] = (day,)
    if source.dated:
        unsettled = await library.unsettled(source.name)
        days = days_to_read(day, lookback_days, unsettled=unsettled, previous=previous)
    tally = _Tally(source.name)
    failed_in_a_row = 0
    # The issue's own day first: if the source gives out on the way, the news of the day is what we have.
    for page_day in reversed(days):
        if failed_in_a_row >= _PATIENCE:
            await library.attempted(source.name, page_day, now=now, settled=False, error=tally.failure)
            continue
        page, error = await _read(source, page_day, now)
        failed_in_a_row = failed_in_a_row + 1 if error else 0
        if page is None:
            tally.failure = error
            await library.attempted(source.name, page_day, now=now, settled=False, error=error)
            continue
        recorded = await library.record(source.name, page_day, page.entries, now=now)
        await library.attempted(source.name, page_day, now=now, settled=page_day < day)
        tally.pages += 1
        tally.read += recorded.listings
        tally.new += recorded.new
        tally.skipped += len(page.skipped)
        for repeat in (*page.repeats, *recorded.repeats):
            tally.repeats.append(f"{source.name}: {repeat.what}: {repeat.reason}")
            log.info(
                "repeat_left_out", source=source.name, day=str(page_day), what=repeat.what, reason=repeat.reason
            )
        if page_day == day:
            tally.listed = recorded.listings
    log.info(
        "collected",
        source=source.name,
        day=str(day),
        read=tally.read,
        new=tally.new,
        skipped=tally.skipped,
        repeats=len(tally.repeats),
    )
    return tally


async def _read(source: Source, day: date, now: datetime) -> tuple[Page | None, str]:
    """Return a page, or None and why there is none."""
    try:
        page = await source.read(day, now=now)
    except SourceError as error:
        log.warning("source_failed", source=source.name, day=str(day), reason=str(error))
        return None, str(error)
    except Exception as error:  # a defect of one adapter must not cost the issue; it is logged in full
        log.exception("source_broke", source=source.name, day=str(day))
        return None, f"{source.name}: internal error: {error!r}"
    for skipped in page.skipped:
        log.warning("record_skipped", source=source.name, day=str(day), what=skipped.what, reason=skipped.reason)
    return page, ""

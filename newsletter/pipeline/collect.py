"""Collect: ask a list's sources for their pages and record what they show. Safe to repeat; only adds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

import structlog
from structlog.contextvars import bound_contextvars

from newsletter.core.calendar import agenda
from newsletter.core.diff import days_to_read, missed_days
from newsletter.core.errors import SourceError
from newsletter.core.listing import LinksLeftOut, Page, Skipped
from newsletter.core.newsletter_list import NewsletterList
from newsletter.pipeline.publish import lookback
from newsletter.pipeline.restored import with_first_readings
from newsletter.ports import CatchesUp, Library, Recorded, Source, Store

log = structlog.get_logger(__name__)

# A source that failed this often in a row is left alone until the next run; its pages stay open until then.
_PATIENCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What collecting for one issue brought."""

    listed: Mapping[str, int]  # by scheme: listings that the sources list on the issue's own day
    pages: int = 0  # pages that were read, empty ones too unless their source failed
    read: int = 0  # listings on them, each day's counted
    new: int = 0  # of them unknown until now
    skipped: int = 0  # records that could not be read
    links_left_out: int = 0  # of papers: nobody could follow them, or they hide where they lead
    repeats: tuple[str, ...] = ()  # what was left out because an earlier entry of its page is the same paper
    failures: Mapping[str, str] = field(default_factory=dict)  # by source: why it could not be read

    @property
    def nothing_answered(self) -> bool:
        """Return whether there were sources, and no page of any could be read."""
        return bool(self.failures) and not self.pages


NOTHING_COLLECTED = Collected(listed={})


@dataclass(slots=True)
class _Tally:
    """One source's share, counted while it is read."""

    source: str
    listed: int = 0
    pages: int = 0
    read: int = 0
    new: int = 0
    skipped: set[Skipped] = field(default_factory=set)  # a file without a day is met with each day's page
    links_left_out: set[LinksLeftOut] = field(default_factory=set)
    repeats: list[str] = field(default_factory=list)
    empty: list[date] = field(default_factory=list)  # days of whose pages nothing could be had
    failure: str = ""

    @property
    def number_of_links_left_out(self) -> int:
        """Return how many links of its papers are not shown."""
        return sum(left_out.number for left_out in self.links_left_out)


async def collect_now(
    store: Store, sources: Sequence[Source], list_: NewsletterList, day: date | None, *, now: datetime
) -> tuple[date, Collected]:
    """Fetch listings and sightings for the issue of a day, or (None) of today; return the day too."""
    on = day or agenda(list_, now).today
    with bound_contextvars(list=list_.name):
        return on, await collect_for(store, sources, list_, on, now=now)


async def collect_for(
    store: Store, sources: Sequence[Source], list_: NewsletterList, day: date, *, now: datetime
) -> Collected:
    """Fetch listings and sightings for a list's issue of `day`, from its sources; see `collect`."""
    previous = await store.issues.latest(list_.name, before=day)
    return await collect(
        await with_first_readings(store, sources),
        store.library,
        day=day,
        lookback_days=lookback(list_),
        previous=previous.day if previous else None,
        now=now,
    )


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

    A source that fails is named in the result; the others are read all the same.
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
        # The pages of files have nothing on other days than theirs: that is no answer of a source that failed.
        pages=sum(tally.pages for tally in tallies if tally.read or not tally.failure),
        read=sum(tally.read for tally in tallies),
        new=sum(tally.new for tally in tallies),
        skipped=sum(len(tally.skipped) for tally in tallies),
        links_left_out=sum(tally.number_of_links_left_out for tally in tallies),
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
    # The issue's own day first: if the source fails halfway, we have the news of the day.
    for page_day in reversed(days):
        if failed_in_a_row >= _PATIENCE:
            await library.attempted(source.name, page_day, now=now, settled=False, error=tally.failure)
            continue
        page, error = await _answer(source.name, page_day, source.read(page_day, now=now))
        failed_in_a_row = failed_in_a_row + 1 if error else 0
        if page is None:
            tally.failure = error
            await library.attempted(source.name, page_day, now=now, settled=False, error=error)
            continue
        shown_day = page.instead or page_day
        recorded = await library.record(source.name, shown_day, page.entries, now=now)
        missing = _missing(source.name, page, page_day)
        tally.failure = missing or tally.failure
        settled = page_day < day and not missing
        await library.attempted(source.name, page_day, now=now, settled=settled, error=missing)
        tally.pages += 1
        _count(tally, page, recorded, shown_day)
        if shown_day == day:
            tally.listed = recorded.listings
    if isinstance(source, CatchesUp):
        await _catch_up(source, library, day, previous, now, tally)
    counts = {"read": tally.read, "new": tally.new, "skipped": len(tally.skipped), "repeats": len(tally.repeats)}
    if links := tally.number_of_links_left_out:
        counts["links_left_out"] = links
    empty = {"nothing_on": _span(tally.empty)} if tally.empty else {}
    log.info("collected", source=source.name, day=str(day), **counts, **empty)
    return tally


def _span(days: Sequence[date]) -> str:
    """Return days in few words: the day, or how many there are and from when to when."""
    return str(days[0]) if len(days) == 1 else f"{len(days)} days from {min(days)} to {max(days)}"


def _missing(source: str, page: Page, day: date) -> str:
    """Return that a source still shows the page of an earlier day than was asked for, or an empty string."""
    if page.instead is None:
        return ""
    log.warning("source_shows_earlier_day", source=source, day=str(day), shown=str(page.instead))
    return f"{source}: still shows the page of {page.instead}, that of {day} is missing"


def _count(tally: _Tally, page: Page, recorded: Recorded, day: date) -> None:
    """Count what a page brought; name what was left out because the listing stood on it before."""
    tally.read += recorded.listings
    tally.new += recorded.new
    if not recorded.listings:
        tally.empty.append(day)
    for skipped in page.skipped:
        if skipped not in tally.skipped:
            tally.skipped.add(skipped)
            log.warning(
                "record_skipped", source=tally.source, day=str(day), what=skipped.what, reason=skipped.reason
            )
    for left_out in page.links_left_out:
        if left_out not in tally.links_left_out:
            tally.links_left_out.add(left_out)
            log.warning("links_left_out", source=tally.source, day=str(day), **asdict(left_out))
    for repeat in (*page.repeats, *recorded.repeats):
        tally.repeats.append(f"{tally.source}: {repeat.what}: {repeat.reason}")
        log.info("repeat_left_out", source=tally.source, day=str(day), what=repeat.what, reason=repeat.reason)


async def _catch_up(
    source: CatchesUp, library: Library, day: date, previous: date | None, now: datetime, tally: _Tally
) -> None:
    """Record what the source showed on earlier days on which it was not read; note which are still missing."""
    tried, read = await library.unsettled(tally.source), await library.read_days(tally.source)
    failed_in_a_row, error = 0, ""
    # The newest first, which most readers still wait for.
    for missed in reversed(missed_days(day, read=read, tried=tried, previous=previous)):
        if failed_in_a_row < _PATIENCE:
            page, error = await _answer(tally.source, missed, source.read_missed(missed, now=now))
            failed_in_a_row = 0 if page else failed_in_a_row + 1
            if page is not None:
                recorded = await library.record(tally.source, missed, page.entries, now=now)
                await library.attempted(tally.source, missed, now=now, settled=True)
                _count(tally, page, recorded, missed)
                if recorded.listings:
                    log.warning("missed_day_read", source=tally.source, day=str(missed), new=recorded.new)
                continue
        await library.attempted(tally.source, missed, now=now, settled=False, error=error)
        tally.failure = tally.failure or f"{tally.source}: what it showed on {missed} is still missing: {error}"


async def _answer(source: str, day: date, reading: Awaitable[Page]) -> tuple[Page | None, str]:
    """Return a page, or None and why there is none."""
    try:
        page = await reading
    except SourceError as error:
        log.warning("source_failed", source=source, day=str(day), reason=str(error))
        return None, str(error)
    except Exception as error:  # a defect of an adapter must not stop the issue; it is logged in full
        log.exception("source_broke", source=source, day=str(day))
        return None, f"{source}: internal error: {error!r}"
    return page, ""

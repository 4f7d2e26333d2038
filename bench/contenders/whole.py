"""The whole program as a contender, as its settings say: `python whole.py prepare|send …`.

The settings are those of the environment (`NEWSLETTER_…`). `prepare READERS LISTINGS` closes an issue of so many
papers, for so many readers. `send` delivers it and prints the seconds that it took, with what it takes to start
other processes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import render

from newsletter import bootstrap
from newsletter.core.choosing import Chooser
from newsletter.core.delivery import Planned
from newsletter.core.issue import Draft, Issue
from newsletter.core.listing import Entry, Sighting
from newsletter.core.subscriber import Member, Subscriber
from newsletter.parts import dispatching
from newsletter.ports import Store
from newsletter.scheduling import loop as runtime
from newsletter.settings import load


async def prepare(readers: int, listings: int) -> None:
    """Close an issue that is due for so many readers of all choices of topics."""
    settings = load(None)
    await bootstrap.upgrade_database(settings)
    await dispatching.bring_tables_up_to_date(settings)
    async with bootstrap.build(settings) as program:
        now, store = datetime.now(UTC), program.store
        members = (
            Member(
                email=f"reader{number}@example.org",
                name=f"Reader {number}",
                topics=render.CHOICES[number % len(render.CHOICES)],
            )
            for number in range(readers)
        )
        async with store.subscribers.compare("daily", members) as comparison:
            await comparison.apply(None, now=now)
        of = await known(store, render.issue(listings), now)
        choices = Chooser(of.listings, of.terms)

        def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
            return Planned(due_at=render.MOMENT, choice=choices.of(reader, had), subject=of.subject)

        draft = Draft(terms=of.terms, day=of.day, number=1, candidates=listings, listings=of.listings)
        issue, _ = await store.issues.freeze(draft, of.subject, plan, now=now)
        await store.issues.keep_rendering(issue.key, program.pipeline.renderer.render(issue))


async def known(store: Store, of: Issue, now: datetime) -> Issue:
    """Let the ledger know the papers of an issue; return the issue with the numbers that they have there."""
    entries = [
        Entry(
            listing=one.listing, sighting=Sighting(source="bench", listed_on=of.day, seen_at=now, position=place)
        )
        for place, one in enumerate(of.listings)
    ]
    await store.library.record("bench", of.day, entries, now=now)
    found = await store.library.candidates(["bench"], since=of.day, until=of.day)
    keys = {one.listing.title: one.key for one in found}
    return replace(of, listings=tuple(replace(one, key=keys[one.listing.title]) for one in of.listings))


async def send() -> None:
    """Deliver, or wait until workers have, and print the seconds."""
    settings = load(None)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    async with bootstrap.build(settings) as program:
        store = program.store
        (issue_key,) = await store.outbox.open_issues("daily")
        dispatch = dispatching.dispatcher(settings, program.jobs, store, program.here, bootstrap.utc_now)
        start = time.perf_counter()
        report = await dispatch.dispatch(issue_key, program.closed.message_for)
        elapsed = time.perf_counter() - start
    if report.settled != report.sent or report.returned:
        raise SystemExit(f"not all was sent: {report}")
    print(elapsed)


def main() -> None:
    match sys.argv[1:]:
        case ["prepare", readers, listings]:
            asyncio.run(prepare(int(readers), int(listings)))
        case ["send"]:
            runtime.run(send())


if __name__ == "__main__":
    main()

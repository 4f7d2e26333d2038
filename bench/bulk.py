"""What a list of millions costs on PostgreSQL: planning two issues, and looking up one reader.

The readers are made by the database: most wish what many others wish (a third has an hour and a timezone, each
has up to two of forty topics), and their addresses are in no order. The first issue finds them without a past. All
of it is then marked as sent, and the second one, a day later, holds papers that rose since: what the first one
brought to whom is looked up for every reader. Each issue is planned in a process of its own, from the draft to the
last delivery. Its memory is what that process had at its peak; that of the server's sessions is what each has for
itself, without what all share.

One reader is looked up as pages, links and commands do it; times are of the whole call, from this process.

    python bench/bulk.py [--json] [--readers 100000] [--database URL]

Without a URL a server is started for the time of the bench; the database of a URL must be empty. Ratios are limits
over measured values, for 5,000,000 readers: above 1 is within the limit. The disk needs 2 KB for each reader.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psycopg
from at_scale.databases import empty_database
from at_scale.processes import cpu_of_one, memory_of_one
from plan import LAST, LIST, NOW, SOURCE, WORDS, listing, within

from newsletter.bootstrap import packaged_templates
from newsletter.core.calendar import slot_on
from newsletter.core.listing import Entry, Sighting
from newsletter.core.signup import SignUpRequest
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.pipeline.check import IssueCheck
from newsletter.pipeline.publish import publish
from newsletter.ports import Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.scheduling.garbage import look_rarely
from newsletter.store import upgrade

OF_ONE_DAY = 400
ROUNDS = 200
LIMITS = {
    "planning the first issue, s": 60.0,
    "planning the second issue, s": 60.0,
    "memory of the process, MB": 200.0,
    "memory of a session, MB": 200.0,
    "preferences page, ms": 5.0,
    "subscribers show, ms": 5.0,
    "sign-up check, ms": 5.0,
    "saving preferences, ms": 5.0,
    "unsubscribe, ms": 5.0,
}
DAY_BEFORE = timedelta(days=1)

READERS = """
    INSERT INTO subscribers (list, address_key, email, name, topics, cadence, hour, timezone, interest, text,
        status, origin, created_at, updated_at)
    SELECT 'daily', address, address, 'Reader ' || number,
        CASE number %% 5 WHEN 0 THEN '[]' WHEN 1 THEN json_build_array(topic, other)::text
            ELSE json_build_array(topic)::text END,
        CASE WHEN number %% 20 = 0 THEN 'weekly' END,
        CASE WHEN number %% 3 = 0 THEN lpad((number / 3 %% 24)::text, 2, '0') || ':00:00' END,
        CASE WHEN number %% 3 = 0
            THEN (ARRAY['Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[1 + number / 72 %% 3] END,
        '', 'summary', 'active', 'file', %(then)s, %(then)s
    FROM (
        SELECT number, substr(md5(number::text), 1, 10) || number || '@example.org' AS address,
            (%(words)s::text[])[1 + number * 7 %% 31] AS topic, (%(words)s::text[])[1 + number * 13 %% 31] AS other
        FROM generate_series(%(since)s::bigint, %(until)s::bigint) AS number
    ) AS readers
"""
PIECE = 250_000


def fill(url: str, count: int) -> None:
    """Make the readers."""
    with psycopg.connect(url, autocommit=True) as connection:
        for since in range(1, count + 1, PIECE):
            values = {"since": since, "until": min(since + PIECE - 1, count), "words": list(WORDS)}
            connection.execute(READERS, {**values, "then": NOW - timedelta(days=90)})
        connection.execute("VACUUM ANALYZE subscribers")


def record(url: str, day: date) -> None:
    """Let the source list papers of its own on a day, and more votes for some of the day before."""
    chance = random.Random(day.toordinal())  # noqa: S311 (not for secrets)
    first = OF_ONE_DAY * (LAST - day).days
    seen_at = NOW - (LAST - day)
    numbers = [*range(first, first + OF_ONE_DAY), *range(OF_ONE_DAY, OF_ONE_DAY + 30)]
    entries = [
        Entry(
            listing=listing(random.Random(number), number),  # noqa: S311 (not for secrets)
            sighting=Sighting(
                source=SOURCE,
                listed_on=day,
                seen_at=seen_at,
                position=place,
                upvotes=chance.randrange(100) + (500 if place >= OF_ONE_DAY else 0),
            ),
        )
        for place, number in enumerate(dict.fromkeys(numbers))
    ]

    async def work(store: Store) -> None:
        await store.library.record(SOURCE, day, entries, now=seen_at)

    within(url, work)


def plan(url: str, day: date) -> dict[str, float]:
    """Plan the issue of a day; return seconds, and the MB that this process had at its peak."""
    templates = TemplateRenderer(None, packaged_templates())
    renderer = MailRenderer(templates, Links("https://papers.example.org", "a key of this bench"))
    list_, now = replace(LIST, max_listings=25), NOW - (LAST - day)
    elapsed = 0.0
    look_rarely()  # as commands do

    async def work(store: Store) -> None:
        nonlocal elapsed
        started = time.perf_counter()
        done = await publish(
            store,
            renderer,
            list_,
            [SOURCE],
            slot_on(list_, day),
            now=now,
            at_once=False,
            check=IssueCheck(is_local=False),
        )
        elapsed = time.perf_counter() - started
        assert done.issue is not None, done

    within(url, work)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"s": elapsed, "MB": used.ru_maxrss / 1024, "s CPU": used.ru_utime + used.ru_stime}


def planned(url: str, day: date) -> dict[str, float]:
    """Plan in a process of its own; what that took, and what the server's sessions took."""
    with watched(url) as sessions, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        found = apart.submit(plan, url, day).result()
    return {
        **found,
        "session, MB": max((one.memory for one in sessions.values()), default=0.0),
        "sessions, s CPU": sum(one.cpu for one in sessions.values()),
    }


class Session(NamedTuple):
    """What a session of the server has taken so far: MB for itself at its peak, seconds of CPU."""

    memory: float = 0.0
    cpu: float = 0.0


@contextmanager
def watched(url: str) -> Iterator[dict[int, Session]]:
    """Note what each of the database's sessions takes, five times a second."""
    found: dict[int, Session] = {}
    ended = threading.Event()

    def look() -> None:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.wait(0.2):
                for (pid,) in connection.execute(query):
                    before = found.get(pid, Session())
                    memory, cpu = max(before.memory, memory_of_one(pid)), max(before.cpu, cpu_of_one(pid))
                    found[pid] = Session(memory, cpu)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield found
    finally:
        ended.set()
        watching.join()


def send(url: str) -> None:
    """Mark all that is queued as sent, as delivering does in the end."""
    done = (
        "UPDATE deliveries SET state = 'sent', ready_at = NULL, attempts = 1 WHERE state = 'queued' AND key %s %s"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        [(last,)] = connection.execute("SELECT coalesce(max(key), 0) FROM deliveries").fetchall()
        for since in range(0, last, PIECE):
            connection.execute(done.replace("%s %s", f"> {since} AND key <= {since + PIECE}"))
        connection.execute("VACUUM ANALYZE deliveries")


def look_ups(url: str, readers: int) -> dict[str, float]:
    """Return the median milliseconds of looking one reader up in several ways."""
    chance = random.Random(8)  # noqa: S311 (not for secrets)
    found: dict[str, float] = {}

    async def work(store: Store) -> None:
        keys = [chance.randint(1, readers) for _ in range(ROUNDS)]
        known = [one for key in keys if (one := await store.subscribers.by_key(key)) is not None]

        async def timed(what: str, call: Callable[[Subscriber, int], Awaitable[Any]]) -> None:
            times = []
            for reader, key in zip(known, keys, strict=True):
                started = time.perf_counter()
                await call(reader, key)
                times.append(1000 * (time.perf_counter() - started))
            found[f"{what}, ms"] = median(times)

        async def page(_: Subscriber, key: int) -> None:
            reader = await store.subscribers.by_key(key)
            assert reader is not None
            await store.outbox.of_subscriber(key, reader.list, limit=10)

        async def show(reader: Subscriber, _: int) -> None:
            await store.personal_data.known(reader.address_key)

        async def ask(reader: Subscriber, _: int) -> None:
            request = SignUpRequest(email=f"new-{reader.email}")
            await store.subscribers.of_address(LIST.name, request.address_key)
            await store.signups.ask(LIST.name, request, client="192.0.2.1", now=NOW)

        async def save(_: Subscriber, key: int) -> None:
            await store.subscribers.change_wishes(key, lambda wishes: wishes, now=NOW)

        async def leave(_: Subscriber, key: int) -> None:
            await store.subscribers.leave(key, reason="left", now=NOW)

        await timed("preferences page", page)
        await timed("subscribers show", show)
        await timed("sign-up check", ask)
        await timed("saving preferences", save)
        await timed("unsubscribe", leave)

    within(url, work)
    return found


def measure(url: str, readers: int, show: Callable[[str, float], None]) -> dict[str, float]:
    """Return all figures; each is shown as soon as it is known."""
    asyncio.run(upgrade(url))
    started = time.perf_counter()
    fill(url, readers)
    show("making the readers, s", time.perf_counter() - started)
    figures: dict[str, float] = {}
    memory, session = "memory of the process, MB", "memory of a session, MB"
    for what, day in (("first", LAST - DAY_BEFORE), ("second", LAST)):
        record(url, day)
        found = planned(url, day)
        figures[f"planning the {what} issue, s"] = found["s"]
        show(f"planning the {what} issue, s", found["s"])
        show("… CPU of the process, s", found["s CPU"])
        show("… CPU of the sessions, s", found["sessions, s CPU"])
        figures[memory] = max(figures.get(memory, 0), found["MB"])
        figures[session] = max(figures.get(session, 0), found["session, MB"])
        if what == "first":
            started = time.perf_counter()
            send(url)
            show("marking it as sent, s", time.perf_counter() - started)
    figures |= look_ups(url, readers)
    for name in (memory, session, *(name for name in figures if name.endswith("ms"))):
        show(name, figures[name])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--database", default="", metavar="URL", help="an empty database of PostgreSQL")
    arguments = parser.parse_args()

    def show(name: str, value: float) -> None:
        if not arguments.json:
            limit = f"(limit {LIMITS[name]:g})" if name in LIMITS else ""
            print(f"  {name:<32} {value:>8.2f}   {limit}", flush=True)

    if not arguments.json:
        print(f"{arguments.readers:,} readers on PostgreSQL; limits are for 5,000,000")
    with TemporaryDirectory(prefix="bench-bulk-") as folder:
        if arguments.database:
            figures = measure(arguments.database, arguments.readers, show)
        else:
            with empty_database("postgresql", Path(folder)) as url:
                figures = measure(url, arguments.readers, show)
    if arguments.json:
        limits = {what: round(limit / max(figures[what], 0.001), 1) for what, limit in LIMITS.items()}
        rows = [{"what": what, "measured": round(value, 2)} for what, value in figures.items()]
        print(json.dumps({"ratios": limits, "rows": rows}))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()

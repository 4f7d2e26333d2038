"""How long planning an issue takes, and how much memory, for a list with a long past and many readers.

The store holds 200,000 listings of four hundred days; the list has 50,000 readers with topics of their own.
Planning is all that happens between the last page read and the first mail: draft, ranking, the rendering and
checking of the message, each reader's choice, and the writing of 50,000 deliveries, page by page. It runs in a
process of its own, so that its memory is its own. Ranking a thousand candidates is timed apart. Ratios are limits
over measured values: above 1 is within the limit (10 s, 500 MB, 50 ms).

    python bench/plan.py [--json] [--listings 200000] [--readers 50000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import structlog

from newsletter.bootstrap import packaged_templates
from newsletter.core.calendar import slot_on
from newsletter.core.listing import Candidate, Entry, Listing, Sighting
from newsletter.core.newsletter_list import Masthead, NewsletterList
from newsletter.core.ranking import Occasion, Weights, ranked
from newsletter.core.subscriber import Member
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic, TopicsMode
from newsletter.pipeline.check import check_issue
from newsletter.pipeline.publish import publish
from newsletter.ports import Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.store import open_store

SOURCE = "huggingface"
LAST = date(2026, 3, 12)
DAYS = 400
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
CANDIDATES = 1000
ROUNDS = 7
LIMITS = {"planning, s": 10.0, "planning, MB": 500.0, f"ranking {CANDIDATES} candidates, ms": 50.0}

WORDS = (
    *("agent", "attention", "benchmark", "chemistry", "diffusion", "distillation", "embedding", "evaluation"),
    *(
        "folding",
        "graph",
        "image",
        "inference",
        "language",
        "memory",
        "molecule",
        "network",
        "planning",
        "protein",
    ),
    *(
        "quantization",
        "reasoning",
        "retrieval",
        "reward",
        "robot",
        "search",
        "speech",
        "token",
        "tool",
        "training",
    ),
    *("transformer", "video", "vision", "world"),
)
TOPICS = {word: Topic(name=word, keywords=(word,), exclude=("survey",)) for word in WORDS}
LIST = NewsletterList(
    masthead=Masthead(list="daily", title="Daily Papers", sender="papers@example.org", postal_address="1 Street"),
    sources=(SOURCE,),
    topics=TOPICS,
)


def listing(chance: random.Random, number: int) -> Listing:
    """Return a made-up paper of the usual size."""
    said = chance.choices(WORDS, k=170)
    identifier = f"{2500 + number // 100_000:04}.{number % 100_000:05}"
    return Listing(
        title=f"{' '.join(said[:9]).capitalize()} {number}",
        abstract=f"{' '.join(said[9:])}.",
        authors=tuple(f"Author {chance.randrange(100_000)}" for _ in range(6)),
        arxiv_id=identifier,
        url=f"https://huggingface.co/papers/{identifier}",
        published_on=LAST,
    )


def pages(listings: int) -> Iterator[tuple[date, list[Entry]]]:
    """Yield what a source lists on each day, the last of which is the issue's."""
    chance = random.Random(1)  # noqa: S311 (not for secrets)
    number = 0
    for back in reversed(range(DAYS)):
        day, page = LAST - timedelta(days=back), []
        for position in range(listings // DAYS):
            number += 1
            sighting = Sighting(
                source=SOURCE,
                listed_on=day,
                seen_at=NOW - timedelta(days=back),
                position=position,
                upvotes=int(chance.lognormvariate(1.9, 1.1)),
                comments=chance.randrange(4),
            )
            page.append(Entry(listing=listing(chance, number), sighting=sighting))
        yield day, page


def readers(count: int) -> Iterator[Member]:
    """Yield readers with three topics each; every tenth wants nothing else, every fiftieth says more."""
    chance = random.Random(2)  # noqa: S311 (not for secrets)
    for number in range(count):
        yield Member(
            email=f"reader{number}@example.org",
            topics=tuple(chance.sample(WORDS, 3)),
            topics_mode=TopicsMode.ONLY if number % 10 == 0 else None,
            interest=f"I work on {' '.join(chance.sample(WORDS, 3))}" if number % 50 == 0 else "",
        )


def fill(url: str, listings: int, count: int) -> None:
    """Put listings and readers into a store."""

    async def work(store: Store) -> None:
        for day, page in pages(listings):
            await store.library.record(SOURCE, day, page, now=NOW)
            show(f"filling the store: {day}")
        async with store.subscribers.compare(LIST.name, readers(count)) as comparison:
            await comparison.apply(None, now=NOW)

    within(url, work)


def plan(url: str) -> dict[str, float]:
    """Plan the issue, and return seconds and the megabytes that the process took for it, all told."""
    templates = TemplateRenderer(None, packaged_templates())
    renderer = MailRenderer(templates, Links("https://papers.example.org", "a key of this bench"))
    elapsed = 0.0

    async def work(store: Store) -> None:
        nonlocal elapsed
        slot, started = slot_on(LIST, LAST), time.perf_counter()
        published = await publish(store, renderer, LIST, [SOURCE], slot, now=NOW, at_once=True, check=check_issue)
        elapsed = time.perf_counter() - started
        assert published.issue is not None

    within(url, work)
    return {"planning, s": elapsed, "planning, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def rank() -> float:
    """Return the median milliseconds that ranking takes, for candidates with a morning and an evening sighting."""
    chance = random.Random(3)  # noqa: S311 (not for secrets)
    candidates = []
    for key in range(CANDIDATES):
        day = LAST - timedelta(days=key % 4)
        seen = [
            Sighting(
                source=SOURCE, listed_on=day, seen_at=NOW - timedelta(hours=hours), position=key, upvotes=votes
            )
            for hours, votes in ((30, chance.randrange(20)), (1, chance.randrange(20, 90)))
        ]
        candidates.append(Candidate(key=key, listing=listing(chance, key), sightings=tuple(seen)))
    occasion = Occasion(day=LAST, previous_day=LAST - timedelta(days=1), previous_at=NOW - timedelta(days=1))
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ranked(candidates, occasion, Weights())
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def within(url: str, work: Callable[[Store], Any]) -> None:
    """Do something with a store, and close it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

    async def act() -> None:
        store = await open_store(url)
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(act())


def show(text: str) -> None:
    """Tell how far it is, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")


def alone(work: Callable[..., Any], *values: Any) -> Any:
    """Call a function in a process of its own, and return what it returns."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *values).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--listings", type=int, default=200_000)
    parser.add_argument("--readers", type=int, default=50_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'plan.db'}"
        alone(fill, url, arguments.listings, arguments.readers)
        measured = {**alone(plan, url), f"ranking {CANDIDATES} candidates, ms": alone(rank)}
    show("")
    rows = [{"what": what, "measured": round(value, 2), "limit": LIMITS[what]} for what, value in measured.items()]
    ratios = {what: round(LIMITS[what] / value, 1) for what, value in measured.items()}
    if arguments.json:
        print(json.dumps({"ratios": ratios, "rows": rows}))
        return
    print(f"{arguments.listings:,} listings in the store, {arguments.readers:,} readers with topics")
    for row in rows:
        print(f"  {row['what']:<30} {row['measured']:>8}   (limit {row['limit']:g})")


if __name__ == "__main__":
    main()

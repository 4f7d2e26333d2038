"""How long planning an issue takes, and how much memory, for a list with a long past and many readers.

The store holds 200,000 listings of four hundred days; the list has 50,000 readers with topics of their own.
Planning is all that happens between the last page read and the first mail: draft, ranking, the rendering and
checking of the message, each reader's choice, and the writing of 50,000 deliveries, page by page. It runs in a
process of its own, so that its memory is its own. Ranking a thousand candidates is timed apart.

So is planning an issue of 400 candidates for as many readers who each wish something else: all chose three topics,
half follow an author and a keyword, a third say in own words what they work on, a quarter gave three papers as
examples. These papers have words as papers have them: few are frequent, and very many are rare. And so is
a Monday of arXiv, whose 5,000 new papers are more than an issue holds.

Ratios are limits over measured values: above 1 is within the limit. Seconds are of the clock; on a busy machine,
those of the processor say more.

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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import structlog

from newsletter.bootstrap import packaged_templates
from newsletter.core.calendar import slot_on
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import read_follow
from newsletter.core.listing import Candidate, Entry, Listing, Sighting
from newsletter.core.newsletter_list import Masthead, NewsletterList
from newsletter.core.ranking import Occasion, Weights, ranked
from newsletter.core.subscriber import Member
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic, TopicsMode
from newsletter.pipeline.check import IssueCheck
from newsletter.pipeline.publish import publish
from newsletter.ports import Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.scheduling.garbage import look_rarely
from newsletter.store import open_store

SOURCE = "huggingface"
LAST = date(2026, 3, 12)
DAYS = 400
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
CANDIDATES = 1000
ROUNDS = 7
OF_ONE_DAY, OF_MONDAY = 400, 5000
LIMITS = {
    "planning, s": 10.0,
    "planning, MB": 500.0,
    "different wishes, s": 15.0,
    "different wishes, MB": 500.0,
    "Monday of arXiv, s": 15.0,
    "Monday of arXiv, MB": 500.0,
    f"ranking {CANDIDATES} candidates, ms": 50.0,
}

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


# Words as papers have them, by Zipf's law: the most frequent first.
VOCABULARY = tuple(
    f"{first}{second}{third}"
    for first in "bdfglmnprst"
    for second in ("al", "en", "ir", "om", "ux")
    for third in ("", *(f"{one}{two}" for one in "bcdfgklmnprstvz" for two in ("a", "e", "io", "or", "um")))
)
SHARES = tuple(accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))
EXAMPLES = 2000  # papers that readers name as examples


def worded(chance: random.Random, number: int) -> Listing:
    """Return a made-up paper of the usual size, whose words are as frequent as in papers."""
    said = chance.choices(VOCABULARY, cum_weights=SHARES, k=160)
    subjects = chance.sample(WORDS, 3)
    return replace(
        listing(chance, number),
        title=" ".join((*subjects[:2], *said[:8])).capitalize(),
        abstract=" ".join((*said[8:], *subjects * 2)),
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


def day_of(papers: Iterable[Listing]) -> Iterator[tuple[date, list[Entry]]]:
    """Yield the page of the issue's day, with these papers."""
    chance = random.Random(4)  # noqa: S311 (not for secrets)
    yield (
        LAST,
        [
            Entry(
                listing=paper,
                sighting=Sighting(
                    source=SOURCE, listed_on=LAST, seen_at=NOW, position=place, upvotes=chance.randrange(100)
                ),
            )
            for place, paper in enumerate(papers)
        ],
    )


def different_readers(count: int) -> Iterator[Member]:
    """Yield readers each of whom wishes something else."""
    chance = random.Random(5)  # noqa: S311 (not for secrets)
    papers = [worded(chance, 500_000 + number) for number in range(EXAMPLES)]
    examples = [GivenPaper(title=one.title, abstract=one.abstract) for one in papers]
    for number in range(count):
        keyword, *said = chance.choices(VOCABULARY[20:], k=5)
        author = f"author: Author {chance.randrange(100_000)}"
        yield Member(
            email=f"reader{number}@example.org",
            topics=tuple(chance.sample(WORDS, 3)),
            follows=(read_follow(author), read_follow(f"keyword: {keyword}")) if number % 2 else (),
            interest=f"I work on {' '.join(said[:2])} and {' '.join(said[2:])}" if number % 3 == 0 else "",
            examples=tuple(chance.sample(examples, 3)) if number % 4 == 0 else (),
        )


def fill(url: str, listings: int, count: int) -> None:
    """Put a long past and readers into a store."""
    put(url, pages(listings), readers(count))


def fill_with_wishes(url: str, listings: int, count: int) -> None:
    """Put one day's papers into a store, and readers each of whom wishes something else."""
    chance = random.Random(6)  # noqa: S311 (not for secrets)
    put(url, day_of(worded(chance, number) for number in range(listings)), different_readers(count))


def put(url: str, days: Iterable[tuple[date, list[Entry]]], members: Iterable[Member]) -> None:
    """Put pages and readers into a store."""

    async def work(store: Store) -> None:
        for day, page in days:
            await store.library.record(SOURCE, day, page, now=NOW)
            show(f"filling the store: {day}")
        async with store.subscribers.compare(LIST.name, members) as comparison:
            await comparison.apply(None, now=NOW)

    within(url, work)


def plan(url: str, what: str) -> dict[str, float]:
    """Plan the issue, and return seconds and the megabytes that the process took for it, all told, by `what`."""
    templates = TemplateRenderer(None, packaged_templates())
    renderer = MailRenderer(templates, Links("https://papers.example.org", "a key of this bench"))
    elapsed = 0.0
    look_rarely()  # as commands do

    async def work(store: Store) -> None:
        nonlocal elapsed
        slot, started = slot_on(LIST, LAST), time.perf_counter()
        published = await publish(
            store, renderer, LIST, [SOURCE], slot, now=NOW, at_once=True, check=IssueCheck(is_local=False)
        )
        elapsed = time.perf_counter() - started
        assert published.issue is not None

    within(url, work)
    used = resource.getrusage(resource.RUSAGE_SELF)
    show("")
    print(f"{what}: {used.ru_utime + used.ru_stime:.1f} s of the processor, all told", file=sys.stderr)
    return {f"{what}, s": elapsed, f"{what}, MB": used.ru_maxrss / 1024}


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
        measured = alone(plan, url, "planning")
        for what, listings in (("different wishes", OF_ONE_DAY), ("Monday of arXiv", OF_MONDAY)):
            url = f"sqlite:///{Path(folder) / what.partition(' ')[0]}.db"
            alone(fill_with_wishes, url, listings, arguments.readers)
            measured |= alone(plan, url, what)
        measured[f"ranking {CANDIDATES} candidates, ms"] = alone(rank)
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

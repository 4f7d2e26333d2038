"""What is left out because an earlier entry is the same paper is counted and named."""

from __future__ import annotations

from datetime import UTC, date, datetime

from structlog.testing import capture_logs

from newsletter.core.listing import Listing, Page
from newsletter.pipeline.collect import Collected, collect
from newsletter.ports import Store
from newsletter.sources.reading.records import Seen, page

DAY = date(2026, 3, 12)
NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)


class Shelf:
    """Shows listings."""

    name = "jsonl:own.jsonl"
    dated = False

    def __init__(self, *listings: Listing) -> None:
        self._listings = listings

    async def read(self, day: date, *, now: datetime) -> Page:
        return page(self.name, day, now, [Seen(listing=one) for one in self._listings])


async def collected(store: Store, *listings: Listing) -> Collected:
    return await collect([Shelf(*listings)], store.library, day=DAY, lookback_days=0, previous=None, now=NOW)


async def test_a_repeat_on_a_page_is_named_with_what_shows_it(store: Store) -> None:
    twice = [Listing(title=title, arxiv_id="2603.00001") for title in ("One", "One, Revised")]
    with capture_logs() as logs:
        found = await collected(store, *twice, Listing(title="Two"))
    assert (found.read, found.repeats) == (2, ("jsonl:own.jsonl: One, Revised: same arXiv id as “One”",))
    (told,) = [log for log in logs if log["event"] == "repeat_left_out"]
    assert (told["what"], told["reason"]) == ("One, Revised", "same arXiv id as “One”")


async def test_entries_that_only_what_is_known_shows_to_be_one_are_named_too(store: Store) -> None:
    await collected(store, Listing(title="One", arxiv_id="2603.00001", doi="10.1000/abcde"))
    found = await collected(
        store, Listing(title="One", arxiv_id="2603.00001"), Listing(title="In Print", doi="10.1000/abcde")
    )
    assert (found.read, found.new) == (1, 0)
    assert found.repeats == ("jsonl:own.jsonl: In Print: same DOI as “One”",)


async def test_a_page_without_repeats_has_none(store: Store) -> None:
    assert (await collected(store, Listing(title="One"), Listing(title="Two"))).repeats == ()

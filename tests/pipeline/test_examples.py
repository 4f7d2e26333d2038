"""Papers that readers gave as examples: looked up while papers are collected, and then liked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing
from newsletter.pipeline.examples import look_up_examples
from newsletter.ports import PaperFinder, Store
from newsletter.store import open_store
from tests.store.samples import LIST, synced
from tests.store.test_examples import UNKNOWN, UNTOLD, ann

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
FOUND = Listing(title="Found at arXiv", abstract="It was there.", arxiv_id="2501.00010")


@dataclass
class Shelf(PaperFinder):
    """Knows one paper, if it can be asked at all; notes what it is asked."""

    error: SourceError | None = None
    asked: list[list[str]] = field(default_factory=list)

    async def find(self, arxiv_ids: Collection[str]) -> Mapping[str, Listing | None]:
        self.asked.append(list(arxiv_ids))
        if self.error:
            raise self.error
        return {one: FOUND if one == FOUND.arxiv_id else None for one in arxiv_ids}


async def liked(store: Store) -> list[str]:
    return [one.example.title for one in await store.feedback.of_address(LIST, "ann@example.org")]


async def test_each_paper_is_looked_up_once_and_what_arxiv_does_not_know_is_named() -> None:
    store, shelf = await open_store("sqlite://"), Shelf()
    await synced(store, ann(UNKNOWN, UNTOLD))
    with capture_logs() as logs:
        for _ in range(2):
            await look_up_examples(store.examples, shelf, LIST, now=NOW)
    assert shelf.asked == [["2501.00009", "2501.00010"]]
    assert await liked(store) == ["Found at arXiv"]
    assert [one["arxiv_id"] for one in logs if one["event"] == "example_unknown"] == ["2501.00009"]
    await look_up_examples(store.examples, shelf, LIST, now=NOW + timedelta(days=31))
    assert shelf.asked[1:] == [["2501.00009"]]
    await store.close()


async def test_a_failure_is_logged_and_the_next_run_asks_again() -> None:
    store, shelf = await open_store("sqlite://"), Shelf(error=SourceError("arxiv: answered 503"))
    await synced(store, ann(UNTOLD))
    with capture_logs() as logs:
        await look_up_examples(store.examples, shelf, LIST, now=NOW)
    assert [one["reason"] for one in logs] == ["arxiv: answered 503"]
    shelf.error = None
    await look_up_examples(store.examples, shelf, LIST, now=NOW)
    assert await liked(store) == ["Found at arXiv"]
    await store.close()

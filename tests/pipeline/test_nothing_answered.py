"""A source that fails on the issue's day and has nothing on the others has not answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.pipeline.collect import Collected, collect
from newsletter.ports import Store
from tests.pipeline.parts import THURSDAY, ScriptedSource

NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)


async def collected(store: Store, *sources: ScriptedSource) -> Collected:
    return await collect(sources, store.library, day=THURSDAY, lookback_days=3, previous=None, now=NOW)


def failing(*earlier: str) -> ScriptedSource:
    return ScriptedSource("jsonl:own", pages={THURSDAY - timedelta(days=1): list(earlier)}, failing={THURSDAY})


async def test_empty_pages_of_other_days_are_no_answer_of_a_source_that_failed(store: Store) -> None:
    found = await collected(store, failing())
    assert found.nothing_answered
    assert found.failures == {"jsonl:own": "jsonl:own: answered 500"}


@pytest.mark.parametrize(
    "sources",
    [
        [failing("One")],
        [failing(), ScriptedSource("saved_page:own")],
        [failing(), ScriptedSource("saved_page:own", pages={THURSDAY: ["Two"]})],
        [ScriptedSource("saved_page:own")],
    ],
)
async def test_papers_of_other_days_or_an_empty_page_elsewhere_are_one(
    store: Store, sources: list[ScriptedSource]
) -> None:
    assert not (await collected(store, *sources)).nothing_answered

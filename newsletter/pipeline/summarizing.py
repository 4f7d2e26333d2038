"""Having what an issue lacks written by a model: while papers are collected, and before the issue is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import structlog

from newsletter.core.machine_summary import SummaryMode
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.summarizing import wanted
from newsletter.pipeline.publish import draft
from newsletter.pipeline.summary_counts import SummaryCounts
from newsletter.ports import Store

if TYPE_CHECKING:
    from newsletter.pipeline.summaries import Summaries  # it loads the checks of texts

log = structlog.get_logger(__name__)

# Seconds that a model has, before an issue that is due is closed, and where none is due.
TIME_OF_ISSUE, TIME_OF_COLLECTING = 60.0, 300.0
_NO_MODEL = "no model is set: NEWSLETTER_SUMMARIES__URL and NEWSLETTER_SUMMARIES__MODEL"


async def summarized(
    store: Store,
    summaries: Summaries | None,
    list_: NewsletterList,
    sources: Sequence[str],
    day: date,
    time: float,
) -> SummaryCounts | None:
    """Have the papers of an issue summarized as its list wants it.

    Args:
        store: the ledger.
        summaries: makes them; None: no model is set.
        list_: the list.
        sources: the names of its sources.
        day: the issue's day.
        time: seconds after which what is left waits for the next run.

    Returns:
        What came of it; None: the list wants none.

    Raises:
        StoreError: the ledger cannot be read.
    """
    if list_.summaries.mode is SummaryMode.OFF:
        return None
    drafted = await draft(store, list_, sources, day)
    if summaries is not None:
        return await summaries.make(drafted, list_.summaries, time=time)
    log.warning("summaries_not_made", list=list_.name, reason=_NO_MODEL)
    counts = SummaryCounts()
    counts.open(wanted(drafted, list_.summaries).papers)
    counts.stop(_NO_MODEL)
    counts.end()
    return counts

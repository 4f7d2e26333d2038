"""Examples: look up the papers that readers gave by arXiv id and no source has shown. Safe to repeat."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from newsletter.core.errors import SourceError
from newsletter.ports import Examples, PaperFinder

log = structlog.get_logger(__name__)

_MOST = 200  # papers of one run: four requests; those that are left are looked up in the next one
_AGAIN_AFTER = timedelta(days=30)  # what arXiv knew nothing of: it may be an id of tomorrow


async def look_up_examples(examples: Examples, finder: PaperFinder, list_name: str, *, now: datetime) -> None:
    """Look up papers of a list's readers, and keep what is found, or that nothing is.

    No failure is one of the issue: it is logged, and the papers are looked up in the next run.

    Args:
        examples: where to keep what is found.
        finder: finds papers.
        list_name: the list; of its weekly edition, the list that it belongs to.
        now: the moment, for the record.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    wanted = await examples.to_look_up(list_name, most=_MOST, unknown_since=now - _AGAIN_AFTER)
    if not wanted:
        return
    try:
        found = await finder.find(wanted)
    except SourceError as error:
        log.warning("examples_not_looked_up", papers=len(wanted), reason=str(error))
        return
    await examples.keep(found, now=now)
    unknown = [identifier for identifier, paper in found.items() if paper is None]
    log.info("examples_looked_up", found=len(found) - len(unknown), unknown=len(unknown))
    for identifier in unknown:
        log.warning("example_unknown", arxiv_id=identifier, reason="arXiv knows no paper of this id")

"""The composition of what removes old rows once a day. It stands above the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.bootstrap import utc_now
from newsletter.core.errors import NewsletterError

if TYPE_CHECKING:
    import asyncio

    from newsletter.bootstrap import Program


async def tidy_when_due(program: Program, stop: asyncio.Event) -> None:
    """Remove what is older than the settings keep it, if that was done a day ago or never; log what it was."""
    import structlog

    from newsletter.core.retention import is_due
    from newsletter.settings.retention import keep_for

    tidying, now = program.store.tidying, utc_now()
    if not is_due(await tidying.tidied_at(), now):
        return
    log = structlog.get_logger(__name__)
    try:
        removed = await tidying.tidy(keep_for(program.settings.retention), now=now, stopping=stop.is_set)
    except NewsletterError as error:  # it is no part of what a run is for
        log.warning("old_rows_not_removed", reason=str(error))
        return
    if removed:
        log.info("old_rows_removed", **removed)

"""The composition of what is done once a day: old rows go, readers are counted. It stands above the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.bootstrap import utc_now
from newsletter.core.errors import NewsletterError

if TYPE_CHECKING:
    import asyncio

    from newsletter.bootstrap import Program


async def tidy_when_due(program: Program, stop: asyncio.Event) -> None:
    """Remove what is older than the settings keep it, if that was done a day ago or never; log what it was."""
    from newsletter.core.retention import is_due

    async with program.store.turns.alone("tidying") as is_ours:
        if is_ours and is_due(await program.store.tidying.tidied_at(), utc_now()):
            await _tidy(program, stop)


async def count_readers_when_due(program: Program) -> None:
    """Count the readers of all lists, as the operator's pages show them, if that was not done today (UTC) yet."""
    import structlog

    today = utc_now().date()
    try:
        counted_at = (await program.store.growth.since(today)).counted_at
        if counted_at is None:
            await program.store.growth.count(now=utc_now())
    except NewsletterError as error:  # it is no part of what a run is for
        structlog.get_logger(__name__).warning("readers_not_counted", reason=str(error))


async def _tidy(program: Program, stop: asyncio.Event) -> None:
    import structlog

    from newsletter.settings.retention import keep_for

    log = structlog.get_logger(__name__)
    try:
        removed = await program.store.tidying.tidy(
            keep_for(program.settings.retention), now=utc_now(), stopping=stop.is_set
        )
    except NewsletterError as error:  # it is no part of what a run is for
        log.warning("old_rows_not_removed", reason=str(error))
        return
    if removed:
        log.info("old_rows_removed", **removed)

"""`scheduler`: what `serve` does but for the pages."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.serve import (
    SECONDS_TO_FINISH,
    check_mark,
    load_for_ticks,
    reported_of,
    schedule_of,
    warn_of_links,
)
from newsletter.cli.session import until_signal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from newsletter.bootstrap import Program


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(scheduler)


def scheduler() -> None:
    """Run the scheduler alone, until SIGTERM: it makes issues, and workers deliver them.

    It collects, closes issues, reads what comes back, watches, tells others and tidies up. Where no worker is at
    work it delivers too, unless NEWSLETTER_DELIVERY__DISPATCHER says that it must not. Any number of schedulers
    may work with one database: each issue is made once.
    """
    until_signal(_run, cut_off=Exit.DONE)


async def _run(program: Program, stop: asyncio.Event) -> None:
    import asyncio

    import structlog

    warn_of_links(program)
    program.load(has_visitors=False)
    lists = await asyncio.to_thread(program.lists.read)
    await check_mark(program, stop)
    load_for_ticks(program, lists.right.values())
    async with _scheduled(program, stop):
        structlog.get_logger(__name__).info("scheduling", lists=len(lists.right))
        async with reported_of(program, "scheduling"):
            await stop.wait()


@asynccontextmanager
async def _scheduled(program: Program, stop: asyncio.Event) -> AsyncIterator[None]:
    """Run the scheduler for as long as the context lasts."""
    import asyncio

    from newsletter.composition import signing_up, telling, watching

    each_tick = (*signing_up.in_the_background(program), telling.in_the_background(program))
    pulse = watching.Pulse(program, partial(telling.tell_without_ledger, program))
    async with schedule_of(program, each_tick, pulse, stop):
        try:
            yield
        finally:
            closing = (*each_tick, pulse.background)
            await asyncio.gather(*(work.close(within=SECONDS_TO_FINISH) for work in closing))

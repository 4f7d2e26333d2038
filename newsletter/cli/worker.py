"""`worker`: delivers what others have closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.session import until_signal

if TYPE_CHECKING:
    import asyncio
    from contextlib import AbstractAsyncContextManager

    from newsletter.bootstrap import Program
    from newsletter.core.jobs import Queue


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    *,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            metavar="N",
            min=1,
            max=64,
            help="Chunks of issues at once; else two for each process that delivers.",
        ),
    ] = None,
    queues: Annotated[
        str,
        typer.Option(
            "--queues", metavar="NAMES", help="What it takes: mails (to single persons), issues, or both."
        ),
    ] = "mails,issues",
) -> None:
    """Deliver what is closed, beside other workers on any number of machines, until SIGTERM.

    It takes its work from the database, which has to be PostgreSQL: mails to single persons first, then issues in
    chunks, small issues before big ones. Stop, kill and start workers as you like: what one leaves, others do.
    Rates and quotas hold for all workers together. Each worker opens as many connections to a relay as its
    settings say.
    """
    names = _queues(queues)
    until_signal(lambda program, stop: _work(program, stop, names, concurrency), cut_off=Exit.DONE)


def _queues(text: str) -> list[Queue]:
    from newsletter.core.jobs import Queue

    known = {queue.value: queue for queue in Queue}
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or (unknown := next((name for name in names if name not in known), None)):
        what = f"{unknown!r} is no queue" if names else "no queue is named"
        raise typer.BadParameter(f"{what}; write mails, issues, or mails,issues", param_hint="--queues")
    return [known[name] for name in dict.fromkeys(names)]


async def _work(program: Program, stop: asyncio.Event, queues: list[Queue], concurrency: int | None) -> None:
    import structlog

    from newsletter.composition import working
    from newsletter.parts import dispatching

    jobs = program.jobs or dispatching.require_jobs(program.settings)
    await program.mark.check()
    await jobs.app()  # else it lacks the tables: an error before anything runs
    program.load(has_visitors=False)
    names, places = ", ".join(queues), concurrency or working.places_by_default(program)
    structlog.get_logger(__name__).info("working", queues=names, concurrency=places)
    async with _reported(names):
        await working.work(program, jobs, queues, places, stop)


def _reported(queues: str) -> AbstractAsyncContextManager[None]:
    """Return what tells the service manager, if one wants to know, that the worker is at work."""
    import os

    from newsletter.scheduling.notify import ServiceManager, reported

    return reported(ServiceManager(os.environ), lambda: f"working on {queues}", lambda: "")

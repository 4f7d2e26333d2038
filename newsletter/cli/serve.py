"""`serve`: scheduler, web pages and delivery in one process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
import typer

from newsletter.cli.exits import Exit
from newsletter.cli.panels import SERVICES
from newsletter.cli.session import now, until_signal
from newsletter.scheduling.loop import raise_descriptor_limit
from newsletter.settings.reach import public_url_problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from newsletter.bootstrap import Program

log = structlog.get_logger(__name__)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=SERVICES)(serve)


def serve() -> None:
    """Run the scheduler, the web pages and delivery in one process, until SIGTERM."""
    until_signal(_serve, cut_off=Exit.DONE)


async def _serve(program: Program, stop: asyncio.Event) -> None:
    _warn_of_links(program)
    lists = await asyncio.to_thread(program.lists.read)
    await program.pipeline.mark.check()  # an older copy of the database is an error before anything runs
    async with _served(program, stop) as url:
        log.info("serving", url=url, lists=len(lists.right))
        await stop.wait()


def _warn_of_links(program: Program) -> None:
    web = program.settings.web
    if not web.public_url:
        log.warning(
            "mails_link_nowhere",
            reason="NEWSLETTER_WEB__PUBLIC_URL is empty: readers leave by mail, no mail links to these pages",
        )
    elif problem := public_url_problem(web):
        log.warning("mails_link_nowhere", reason=problem)


@asynccontextmanager
async def _served(program: Program, stop: asyncio.Event) -> AsyncIterator[str]:
    """Run scheduler and web pages for as long as the context lasts; gives the URL of the pages."""
    # A scheduler and a server, which no other command needs to load.
    from newsletter.scheduling.schedule import Schedule  # noqa: PLC0415
    from newsletter.web.app import public_app  # noqa: PLC0415
    from newsletter.web.limits import Limits, connections_for  # noqa: PLC0415
    from newsletter.web.pages.kept import KeptPages  # noqa: PLC0415
    from newsletter.web.server import serving  # noqa: PLC0415

    web = program.settings.web
    app = public_app(
        subscribers=program.store.subscribers,
        issues=program.store.issues,
        feedback=program.store.feedback,
        links=program.links,
        renderer=program.templates,
        kept=KeptPages(program.settings.paths.state / "pages"),
        clock=now,
        healthy=lambda: program.store.issues.outline("any"),  # one row, or none: the ledger answers
    )
    schedule = Schedule(
        tick=lambda stopping: program.ticker.tick(now=now(), stop=stopping),
        collect=lambda stopping: program.ticker.collect(now=now(), stop=stopping),
        clock=now,
        stopping=stop,
        tick_every=timedelta(seconds=program.settings.schedule.tick),
        collect_every=timedelta(minutes=program.settings.schedule.collect_every),
    )
    limits = Limits(connections=connections_for(raise_descriptor_limit()))
    async with serving(app, web.host, web.port, stop=stop, limits=limits) as url, schedule:
        yield url

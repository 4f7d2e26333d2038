"""`serve` and `preview`: processes that stay."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import structlog
import typer

from newsletter import bootstrap
from newsletter.cli.exits import Exit
from newsletter.cli.output import say
from newsletter.cli.session import Day, ListName, chosen, until_signal
from newsletter.core.errors import NewsletterError, StoppedError
from newsletter.pipeline.stopping import unless_stopped
from newsletter.scheduling.loop import raise_descriptor_limit
from newsletter.scheduling.schedule import Schedule
from newsletter.web.app import public_app
from newsletter.web.limits import Limits, connections_for
from newsletter.web.pages.kept import KeptPages
from newsletter.web.server import serving
from newsletter.web.studio.preview import previewing

if TYPE_CHECKING:
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.ports import ListFile

log = structlog.get_logger(__name__)

_PANEL = "Services"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=_PANEL)(serve)
    app.command(rich_help_panel=_PANEL)(preview)


def serve() -> None:
    """Schedule, web pages and delivery in one process, until SIGTERM."""
    until_signal(_serve, cut_off=Exit.DONE)


async def _serve(program: Program, stop: asyncio.Event) -> None:
    web = program.settings.web
    if not web.public_url:
        log.warning(
            "mails_link_nowhere",
            reason="NEWSLETTER_WEB__PUBLIC_URL is empty: readers leave by mail, no mail links to these pages",
        )
    elif problem := bootstrap.check_public_url(program.settings):
        log.warning("mails_link_nowhere", reason=problem)
    program.lists.load()  # a wrong list file is said at the start, before anything runs
    await program.pipeline.mark.check()  # and so is an older copy of the database
    app = public_app(
        roster=program.store.roster,
        issues=program.store.issues,
        links=program.links,
        renderer=program.templates,
        kept=KeptPages(program.settings.paths.state / "pages"),
        clock=bootstrap.utc_now,
        healthy=lambda: program.store.issues.outline("any"),  # one row, or none: the ledger answers
    )

    schedule = Schedule(
        tick=lambda stopping: _tick(program, stopping),
        collect=lambda stopping: _collect(program, stopping),
        stopping=stop,
        tick_every=timedelta(seconds=program.settings.schedule.tick),
        collect_every=timedelta(minutes=program.settings.schedule.collect_every),
    )
    limits = Limits(connections=connections_for(raise_descriptor_limit()))
    async with serving(app, web.host, web.port, stop=stop, limits=limits) as url, schedule:
        log.info("serving", url=url, lists=len(program.lists.load()))
        await stop.wait()


async def _tick(program: Program, stop: asyncio.Event) -> None:
    """Do what is due of all lists side by side: a long issue must not hold up another list's hour."""
    await asyncio.gather(*(_tick_one(program, file, stop) for file in program.lists.load().values()))


async def _tick_one(program: Program, file: ListFile, stop: asyncio.Event) -> None:
    try:
        await program.pipeline.tick(file, stop=stop)
    except StoppedError:
        log.info("tick_left", list=file.list.name)
    except NewsletterError as error:
        await program.alarm.ring(file.list.masthead, program.pipeline.day(file.list), error)


async def _collect(program: Program, stop: asyncio.Event) -> None:
    for file in program.lists.load().values():
        try:
            await unless_stopped(stop, program.pipeline.collect(file.list, program.pipeline.today(file.list)))
        except StoppedError:
            return


def preview(
    *,
    list_name: ListName = None,
    date: Day = None,
    subscriber: Annotated[str | None, typer.Option(metavar="ADDRESS", help="As this reader gets it.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0 takes a free one.")] = 8025,
) -> None:
    """Look at an issue in the browser, rendered anew at each reload."""
    until_signal(
        lambda program, stop: _preview(program, list_name, date, subscriber, port, stop), cut_off=Exit.DONE
    )


async def _preview(
    program: Program,
    list_name: str | None,
    day: date | None,
    subscriber: str | None,
    port: int,
    stop: asyncio.Event,
) -> None:
    chosen(program.lists.load(), list_name)
    async with previewing(program.studio, program.templates, port=port, stop=stop) as url:
        say(f"{url}/{_query(list_name, day, subscriber)}")
        await stop.wait()


def _query(list_name: str | None, day: date | None, subscriber: str | None) -> str:
    asked = {"list": list_name, "day": day and day.isoformat(), "subscriber": subscriber}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"?{query}" if query else ""

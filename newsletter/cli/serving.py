"""`serve` and `preview`: processes that stay."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import structlog
import typer

from newsletter import bootstrap
from newsletter.cli.output import say
from newsletter.cli.session import Day, ListName, chosen, within
from newsletter.core.errors import NewsletterError
from newsletter.schedule import Schedule, run_until_signal
from newsletter.web.archive import IssueArchive
from newsletter.web.preview import previewing
from newsletter.web.public import public_app
from newsletter.web.server import serving

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
    within(_serve)


async def _serve(program: Program) -> None:
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
        pages=program.templates,
        clock=bootstrap.utc_now,
        archive=IssueArchive(program.store.issues, program.templates, program.links),
        healthy=lambda: program.store.issues.history(limit=1),
    )

    async def work(stop: asyncio.Event) -> None:
        schedule = Schedule(
            tick=lambda stopping: _tick(program, stopping),
            collect=lambda stopping: _collect(program, stopping),
            stopping=stop,
            tick_every=timedelta(seconds=program.settings.schedule.tick),
            collect_every=timedelta(minutes=program.settings.schedule.collect_every),
        )
        async with serving(app, web.host, web.port) as url, schedule:
            log.info("serving", url=url, lists=len(program.lists.load()))
            await stop.wait()

    await run_until_signal(work)


async def _tick(program: Program, stop: asyncio.Event) -> None:
    """Do what is due of all lists side by side: a long issue must not hold up another list's hour."""
    await asyncio.gather(*(_tick_one(program, file, stop) for file in program.lists.load().values()))


async def _tick_one(program: Program, file: ListFile, stop: asyncio.Event) -> None:
    try:
        await program.pipeline.tick(file, stop=stop)
    except NewsletterError as error:
        await program.alarm.ring(file.config.masthead, program.pipeline.day(file.config), error)


async def _collect(program: Program, stop: asyncio.Event) -> None:
    for file in program.lists.load().values():
        if stop.is_set():
            return
        await program.pipeline.collect(file.config, program.pipeline.today(file.config))


def preview(
    *,
    list_name: ListName = None,
    date: Day = None,
    subscriber: Annotated[str | None, typer.Option(metavar="ADDRESS", help="As this reader gets it.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0 takes a free one.")] = 8025,
) -> None:
    """Look at an issue in the browser, rendered anew at each reload."""
    within(lambda program: _preview(program, list_name, date, subscriber, port))


async def _preview(
    program: Program, list_name: str | None, day: date | None, subscriber: str | None, port: int
) -> None:
    chosen(program.lists.load(), list_name)

    async def work(stop: asyncio.Event) -> None:
        templates = bootstrap.packaged_templates()
        async with previewing(program.studio, templates=templates, port=port) as url:
            say(f"{url}/{_query(list_name, day, subscriber)}")
            await stop.wait()

    await run_until_signal(work)


def _query(list_name: str | None, day: date | None, subscriber: str | None) -> str:
    asked = {"list": list_name, "day": day and day.isoformat(), "subscriber": subscriber}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"?{query}" if query else ""

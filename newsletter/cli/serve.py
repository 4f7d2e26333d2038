"""`serve`: scheduler, web pages and delivery in one process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.session import now, until_signal
from newsletter.core.errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from contextlib import AbstractAsyncContextManager

    from newsletter.bootstrap import Program
    from newsletter.composition.watching import Pulse
    from newsletter.ports import ListFile
    from newsletter.readers.background import Background
    from newsletter.scheduling.schedule import Schedule
    from newsletter.web.app import PublicSite

# Less than what is left for the whole process to end in, after its scheduler.
SECONDS_TO_FINISH = 2.0
# For so long a public page is not looked up again: many who ask for it at once cost next to nothing.
_SECONDS_FRESH = 1.0
_COUNT_READERS_EVERY = timedelta(seconds=30)
_TIDY_EVERY = timedelta(hours=1)  # it is asked whether it is due


Host = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Where the pages are; else as the settings say.")
]
Port = Annotated[int | None, typer.Option(metavar="N", min=0, max=65535, help="Likewise; 0: a free one.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(*, host: Host = None, port: Port = None) -> None:
    """Run the scheduler, the web pages and delivery in one process, until SIGTERM."""
    until_signal(lambda program, stop: _serve(program, stop, host, port), cut_off=Exit.DONE)


async def _serve(program: Program, stop: asyncio.Event, host: str | None, port: int | None) -> None:
    import asyncio

    import structlog

    log = structlog.get_logger(__name__)
    warn_of_links(program)
    program.load(has_visitors=True)
    lists = await asyncio.to_thread(program.lists.read)
    await check_mark(program, stop)
    load_for_ticks(program, lists.right.values())
    web = program.settings.web
    async with _served(program, stop, host or web.host, web.port if port is None else port) as url:
        log.info("serving", url=url, lists=len(lists.right))
        async with reported_of(program, f"serving {url}"):
            await stop.wait()


async def check_mark(program: Program, stop: asyncio.Event) -> None:
    """Tell operators if the database is an older copy: that is an error before anything runs."""
    from newsletter.composition import telling, watching

    try:
        await program.mark.check()
    except ConfigurationError:
        await watching.look_at_end(program)
        await telling.tell_operators(program, stop)
        raise


def reported_of(program: Program, what: str) -> AbstractAsyncContextManager[None]:
    """Return what tells the service manager, if one wants to know, that the work goes on; `what` is that work."""
    import os

    from newsletter.scheduling.notify import ServiceManager, reported

    def status() -> str:
        return f"{what}; all goes on at {now():%Y-%m-%d %H:%M} UTC"

    return reported(ServiceManager(os.environ), status, program.ticker.liveness.trouble)


def load_for_ticks(program: Program, files: Iterable[ListFile]) -> None:
    """Load what ticks need: while the first of them loaded it, no visitor would be answered."""
    _ = program.ticker
    for file in files:
        program.sources_of(file.list)


def warn_of_links(program: Program) -> None:
    """Log if the links in mails lead readers nowhere."""
    import structlog

    if reason := _no_links(program):
        structlog.get_logger(__name__).warning("mails_link_nowhere", reason=reason)


def _no_links(program: Program) -> str:
    """Return why the links in mails lead readers nowhere, or nothing."""
    from newsletter.settings.reach import public_url_problem

    web = program.settings.web
    if not web.public_url:
        return "NEWSLETTER_WEB__PUBLIC_URL is empty: readers leave by mail, no mail links to these pages"
    return public_url_problem(web)


def _inbound(program: Program) -> Callable[[asyncio.Event], Awaitable[object]] | None:
    """Return what reads the mailboxes, and decides on what webhooks told; None, where nothing of it is set up."""
    receiving = program.receiving
    mailboxes = receiving.mailboxes()
    if not mailboxes and not receiving.hooks.services:
        return None

    async def process(stopping: asyncio.Event) -> None:
        async with program.store.turns.alone("inbound") as is_ours:
            if is_ours:
                await receiving.mail.process(mailboxes, stopping=stopping.is_set)

    return process


@asynccontextmanager
async def _served(program: Program, stop: asyncio.Event, host: str, port: int) -> AsyncIterator[str]:
    """Run scheduler and web pages for as long as the context lasts; gives the URL of the pages."""
    import asyncio

    from newsletter.composition import administering, signing_up, telling, watching
    from newsletter.scheduling.loop import raise_descriptor_limit
    from newsletter.web.app import public_app
    from newsletter.web.limits import Limits, connections_for
    from newsletter.web.server import serving

    letters, mails = signing_up.in_the_background(program)
    each_tick = (letters, mails, telling.in_the_background(program))
    pulse = watching.Pulse(program, partial(telling.tell_without_ledger, program))
    site = site_of(program, host, wake_letters=letters.soon, wake_mails=mails.soon)
    schedule = schedule_of(program, each_tick, pulse, stop)
    limits = Limits(connections=connections_for(raise_descriptor_limit()))
    async with administering.admin_site(program, site.admission.signing_up) as admin:
        app = public_app(replace(site, admin=admin))
        async with serving(app, host, port, stop=stop, limits=limits) as url, schedule:
            try:
                yield url
            finally:
                await asyncio.gather(
                    *(work.close(within=SECONDS_TO_FINISH) for work in (*each_tick, pulse.background))
                )


def site_of(
    program: Program, host: str | None, *, wake_letters: Callable[[], None], wake_mails: Callable[[], None]
) -> PublicSite:
    """Return what the pages are made of.

    Args:
        program: the program.
        host: where they are served, if not where the settings say.
        wake_letters: is called when a letter to a reader is to be sent.
        wake_mails: is called when a mail of a sign-up is to be sent.
    """
    from newsletter.composition import signing_up, watching
    from newsletter.web.app import PublicSite

    web = program.settings.web
    admission = signing_up.admission(program, wake_mails)
    return PublicSite(
        store=program.store,
        lists=program.lists,
        source_names=program.source_names,
        admission=admission,
        links=program.links,
        renderer=program.templates,
        clock=now,
        wake=wake_letters,
        healthy=lambda: program.store.issues.outline("any"),  # one row, or none: the ledger answers
        hooks=program.receiving.hooks,
        monitoring=watching.monitoring(program, admission.clients),
        hosts=(*web.hosts, host or web.host),
        hsts=web.hsts,
        fresh_for=_SECONDS_FRESH,
    )


def schedule_of(program: Program, each_tick: Iterable[Background], pulse: Pulse, stop: asyncio.Event) -> Schedule:
    """Return what is done at intervals: each tick asks for what is done in the background, too."""
    from newsletter.composition import watching
    from newsletter.composition.tidying import tidy_when_due
    from newsletter.operations.counting import Counting
    from newsletter.scheduling.schedule import Intervals, Schedule

    async def tick(stopping: asyncio.Event) -> None:
        for work in each_tick:
            work.soon()
        await pulse.of(program.ticker.tick(now=now(), stop=stopping))

    every = program.settings.schedule
    schedule = Schedule(
        tick=tick,
        collect=lambda stopping: program.ticker.collect(now=now(), stop=stopping),
        clock=now,
        liveness=program.ticker.liveness,
        stopping=stop,
        intervals=Intervals(timedelta(seconds=every.tick), timedelta(minutes=every.collect_every)),
    )
    counting = Counting(program.store.growth, monotonic)
    schedule.add("tidying", lambda stopping: tidy_when_due(program, stopping), _TIDY_EVERY)
    schedule.add("reader_counts", lambda _: counting.count(now()), _COUNT_READERS_EVERY)
    watch = watching.watch(program)
    schedule.add("watch", lambda _: watch.look(now()), watching.LOOK_EVERY)
    if inbound := _inbound(program):
        schedule.add("inbound", inbound, timedelta(minutes=program.settings.inbound.every))
    return schedule

"""`web`: the web pages alone, beside a `serve`, `run` or `scheduler` that delivers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.serve import SECONDS_TO_FINISH, Host, Port, site_of, warn_of_links
from newsletter.cli.session import until_signal

if TYPE_CHECKING:
    import asyncio

    from newsletter.bootstrap import Program


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(web)


def web(*, host: Host = None, port: Port = None) -> None:
    """Serve the web pages alone, until SIGTERM: no scheduler, no delivery.

    What the pages ask for, such as the mails of sign-ups, is kept in the database. A worker mails it, or a
    `newsletter serve`, `scheduler` or `run` that works with the same database.
    """
    until_signal(lambda program, stop: _serve(program, stop, host, port), cut_off=Exit.DONE)


async def _serve(program: Program, stop: asyncio.Event, host: str | None, port: int | None) -> None:
    import asyncio

    import structlog

    from newsletter.composition import administering, signing_up
    from newsletter.scheduling.loop import raise_descriptor_limit
    from newsletter.web.app import public_app
    from newsletter.web.limits import Limits, connections_for
    from newsletter.web.server import serving

    warn_of_links(program)
    lists = await asyncio.to_thread(program.lists.read)
    settings = program.settings.web
    asking = signing_up.for_workers(program)
    site = site_of(program, host, wake_letters=asking.soon, wake_mails=asking.soon)
    limits = Limits(connections=connections_for(raise_descriptor_limit()))
    here = settings.port if port is None else port
    async with administering.admin_site(program, site.admission.signing_up) as admin:
        app = public_app(replace(site, admin=admin))
        async with serving(app, host or settings.host, here, stop=stop, limits=limits) as url:
            structlog.get_logger(__name__).info("serving_pages", url=url, lists=len(lists.right))
            await stop.wait()
    await asking.close(within=SECONDS_TO_FINISH)

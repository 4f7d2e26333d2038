"""`preview`: an issue in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import complain, say
from newsletter.cli.session import (
    ENV_FILE,
    AsReader,
    Day,
    ListName,
    chosen_with_wrong,
    doubtful_templates,
    until_signal,
)

if TYPE_CHECKING:
    import asyncio
    from datetime import date

    from newsletter.bootstrap import Program


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(preview)


def preview(
    *,
    list_name: ListName = None,
    date: Day = None,
    subscriber: AsReader = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="On loopback; 0: a free one.")] = 8025,
    opens: Annotated[bool, typer.Option("--open", help="Open it in your browser.")] = False,
) -> None:
    """Look at an issue in the browser; what is edited shows within a second."""
    query = _query(list_name, date, subscriber)
    until_signal(
        lambda program, stop: _preview(program, list_name, query, port, stop, opens=opens),
        cut_off=Exit.DONE,
        only_looks=True,
    )


async def _preview(
    program: Program,
    list_name: str | None,
    query: str,
    port: int,
    stop: asyncio.Event,
    *,
    opens: bool,
) -> None:
    import asyncio
    import webbrowser
    from contextlib import aclosing

    from newsletter.composition.previewing import CurrentDesk
    from newsletter.settings import load
    from newsletter.web.studio.preview import previewing
    from newsletter.web.studio.watching import Changes, watching

    files, wrong = chosen_with_wrong(program.lists, list_name)
    for error in wrong:
        if not files:
            raise error
        complain(str(error))
    for line in doubtful_templates(program.settings):
        complain(line)
    desk, changes = CurrentDesk(program, lambda: load(ENV_FILE), ENV_FILE), Changes()
    async with (
        aclosing(desk),
        watching(lambda: desk.watched, changes, desk.renew),
        previewing(desk.open, port=port, changes=changes, stop=stop) as url,
    ):
        address = f"{url}/{query}"
        say(address)
        if opens and not await asyncio.to_thread(webbrowser.open, address):
            complain("there is no browser here to open: go to the address above")
        await stop.wait()


def _query(list_name: str | None, day: date | None, subscriber: str | None) -> str:
    asked = {"list": list_name, "day": day and day.isoformat(), "subscriber": subscriber}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"?{query}" if query else ""

"""`send`: a test copy of an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import say, say_json
from newsletter.cli.session import AsJson, AsReader, Day, OneList, parse_address, within

if TYPE_CHECKING:
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.core.delivery import Outcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)


def send(
    *,
    list_name: OneList,
    date: Day = None,
    to: Annotated[str, typer.Option(metavar="ADDRESS", parser=parse_address, help="Who gets the test copy.")],
    subscriber: AsReader = None,
    as_json: AsJson = False,
) -> None:
    """Send a test copy of an issue to one address; nothing is recorded as sent."""
    outcome = within(lambda program: _send(program, list_name, date, to, subscriber or to))
    if as_json:
        say_json({"to": to, "state": outcome.state.value, "relay": outcome.relay, "answer": outcome.text})
    else:
        say(f"{to}: {outcome.state.value} by {outcome.relay} ({outcome.code} {outcome.text})")
    raise typer.Exit(Exit.DONE if outcome.code is not None and outcome.code < 400 else Exit.TEMPORARY)  # noqa: PLR2004


async def _send(program: Program, list_name: str, day: date | None, to: str, reader: str) -> Outcome:
    studio = program.studio
    issue = await studio.issue(list_name, day)
    return await studio.send(issue, to, await studio.delivery(issue, await studio.reader(issue, reader)))

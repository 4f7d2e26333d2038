"""`send`: a test copy of an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import say, say_json
from newsletter.cli.session import AsJson, Day, OneList, within

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
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Who gets the test copy.")],
    as_json: AsJson = False,
) -> None:
    """Send a test copy of an issue to one address; nothing is recorded as sent."""
    from newsletter.lists.addresses import Addresses

    try:
        to = Addresses().read(to.strip())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--to'") from None
    outcome = within(lambda program: _send(program, list_name, date, to))
    if as_json:
        say_json({"to": to, "state": outcome.state.value, "relay": outcome.relay, "answer": outcome.text})
    else:
        say(f"{to}: {outcome.state.value} by {outcome.relay} ({outcome.code} {outcome.text})")
    raise typer.Exit(Exit.DONE if outcome.code is not None and outcome.code < 400 else Exit.TEMPORARY)  # noqa: PLR2004


async def _send(program: Program, list_name: str, day: date | None, address: str) -> Outcome:
    issue = await program.studio.issue(list_name, day)
    return await program.studio.send(issue, address)

"""`demo`: the main job end to end, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import say, say_json
from newsletter.cli.session import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    *,
    state: Annotated[Path, typer.Option(help="Where the demo keeps its database and inbox.")] = Path("var"),
    as_json: AsJson = False,
) -> None:
    """Send the sample issue to a local inbox: sample listings, three readers, no account, no network."""
    import asyncio

    from newsletter.demo.demo import run_demo

    done = asyncio.run(run_demo(state))
    if as_json:
        say_json(done.as_json())
        return
    for line in done.lines():
        say(line)

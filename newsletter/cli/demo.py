"""`demo`: the main job end to end, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    *,
    state: Annotated[Path, typer.Option(help="Where the demo keeps its database and inbox.")] = Path("var"),
) -> None:
    """Send the sample issue to a local inbox: sample listings, three readers, no account, no network."""
    import asyncio

    from newsletter.demo.demo import run_demo

    async def show() -> None:
        async for line in run_demo(state):
            say(line)

    asyncio.run(show())

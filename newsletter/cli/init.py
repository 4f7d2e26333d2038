"""`init`: a working folder to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")] = Path(),
    *,
    templates: Annotated[
        bool, typer.Option("--templates", help="Copy the mail's templates too, to change them.")
    ] = False,
) -> None:
    """Scaffold a working folder: settings, a first list, a CI workflow; overwrites nothing."""
    from newsletter import scaffold

    for line in scaffold.scaffold(folder, templates=bootstrap.packaged_templates() if templates else None):
        say(line)
    enter = "" if folder == Path() else f"`cd {folder}`, then "
    say(f"next: {enter}`newsletter collect` and `newsletter preview`; to send, set the SMTP host in .env")

"""`lists`: the operator's list files."""

from __future__ import annotations

import sys

import typer

from newsletter import bootstrap
from newsletter.cli.exits import Exit
from newsletter.cli.output import say, say_json
from newsletter.cli.session import AsJson, settings
from newsletter.core.errors import ListFileError

group = typer.Typer(no_args_is_help=True, help="The list files in subscribers/.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="lists", rich_help_panel="Lists")


@group.command()
def check(*, as_json: AsJson = False) -> None:
    """Validate all list files, with file and line of each mistake."""
    try:
        files = bootstrap.list_files(settings()).load()
    except ListFileError as error:
        if as_json:
            mistakes = [{"file": one.file, "line": one.line, "message": one.message} for one in error.mistakes]
            say_json({"ok": False, "mistakes": mistakes})
        else:
            sys.stderr.write(f"{error}\n")
        raise typer.Exit(Exit.CONFIGURATION) from None
    counts = {name: len(file.subscribers) for name, file in files.items()}
    if as_json:
        say_json({"ok": True, "lists": counts})
        return
    for name, count in counts.items():
        say(f"{name}: fine, {count} subscriber{'' if count == 1 else 's'}")
    if not counts:
        say("no lists yet: `newsletter init` writes a first one")

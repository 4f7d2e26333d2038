"""`lists`: the operator's list files."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from newsletter import bootstrap
from newsletter.cli.commands import Group
from newsletter.cli.exits import Exit
from newsletter.cli.output import mistakes_json, say, say_json, warn
from newsletter.cli.session import AsJson, changed_templates, settings
from newsletter.core.errors import ListFileError, Mistake
from newsletter.core.text import counted

group = typer.Typer(cls=Group, no_args_is_help=True, help="The list files in subscribers/.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="lists")


@group.command()
def check(*, as_json: AsJson = False) -> None:
    """Validate all list files, with file and line of each mistake; exit 1 if there are any."""
    from newsletter.settings.reach import public_url_problem, relays_are_local

    loaded = settings()
    public = public_url_problem(loaded.web)
    lists = bootstrap.list_files(loaded)
    general = [public] if public and not relays_are_local(loaded.smtp) else []
    try:
        checked = lists.check()
    except ListFileError as error:
        _fail(error.mistakes, general, as_json=as_json)
    if general:
        _fail((), general, as_json=as_json)
    warnings = [*([public] if public else []), *lists.warnings(checked), *changed_templates(loaded)]
    counts = {name: found.members for name, found in checked.items()}
    if as_json:
        say_json({"ok": True, "lists": counts, "warnings": warnings})
        return
    for warning in warnings:
        warn(warning)
    for name, count in counts.items():
        say(f"{name}: fine, {counted(count, 'subscriber')}")
    if not counts:
        say("no lists yet: `newsletter init` writes a first one")


def _fail(mistakes: tuple[Mistake, ...], general: list[str], *, as_json: bool) -> NoReturn:
    """Print mistakes, in files and in general, and end the command."""
    if as_json:
        unnamed = [{"file": None, "line": None, "message": message} for message in general]
        say_json({"ok": False, "mistakes": [*unnamed, *mistakes_json(mistakes)]})
    else:
        for line in (*general, *mistakes):
            sys.stderr.write(f"{line}\n")
        sys.stderr.write(f"{counted(len(general) + len(mistakes), 'mistake')}: nothing is applied\n")
    raise typer.Exit(Exit.CHECK_FAILED)

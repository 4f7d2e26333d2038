"""`lists`: the operator's list files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from newsletter import bootstrap
from newsletter.cli.commands import Group
from newsletter.cli.exits import Exit
from newsletter.cli.output import mistakes_json, say, say_json, say_left_out, table, warn
from newsletter.cli.session import AsJson, ShownLimit, doubtful_templates, settings, within
from newsletter.core.errors import ListFileError, Mistake, StoreError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from newsletter.bootstrap import Program
    from newsletter.core.syncing import PlannedChange
    from newsletter.ports import Lists
    from newsletter.settings import Settings

    # By list: how many people stay out, and the first of them.
    StayingOut: TypeAlias = Mapping[str, tuple[int, Sequence[PlannedChange]]]

group = typer.Typer(cls=Group, no_args_is_help=True, help="The list files in subscribers/.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="lists")


@group.command()
def check(*, limit: ShownLimit = 1000, as_json: AsJson = False) -> None:
    """Validate all list files, with file and line of each mistake; exit 1 if there are any.

    Whom the files name and who gets no mail is said with the reason, if there is a database already.
    """
    from newsletter.composition import telling
    from newsletter.settings.reach import public_url_problem, relays_are_local

    loaded = settings()
    public = public_url_problem(loaded.web)
    lists = bootstrap.list_files(loaded)
    general = [public] if public and not relays_are_local(loaded.smtp) else []
    try:
        checked = lists.check()
    except ListFileError as error:
        _fail(error.mistakes, general, as_json=as_json)
    mistakes = telling.channel_mistakes(lists)
    if general or mistakes:
        _fail(tuple(mistakes), general, as_json=as_json)
    warnings = [*([public] if public else []), *lists.warnings(checked), *doubtful_templates(loaded)]
    out = _staying_out(loaded, lists, limit, warnings)
    counts = {name: found.members for name, found in checked.items()}
    if as_json:
        shown = {name: _out_json(number, first) for name, (number, first) in out.items()}
        say_json({"ok": True, "lists": counts, "staying_out": shown, "warnings": warnings})
        return
    for warning in warnings:
        warn(warning)
    for name, count in counts.items():
        say(f"{name}: fine, {counted(count, 'subscriber')}{_out_in_words(*out.get(name, (0, [])))}")
    rows = [(name, one.email, one.reason) for name, (_, first) in out.items() for one in first]
    if rows:
        table(("list", "stays out", "why"), rows, folds=("why",))
    say_left_out(len(rows), sum(number for number, _ in out.values()), "people", is_result=True)
    if not counts:
        say("no lists yet: `newsletter init` writes a first one")


def _staying_out(loaded: Settings, lists: Lists, limit: int, warnings: list[str]) -> StayingOut:
    """Return by list who stays out, as far as there is a database; what is wrong with it becomes a warning.

    Checking files needs no database, and makes none.
    """
    ledger = bootstrap.ledger_file(loaded)
    if ledger is not None and not ledger.exists():
        return {}

    async def act(program: Program) -> StayingOut:
        from newsletter.readers.planning import staying_out

        if unknown := await program.store.personal_data.unrecognised():
            warnings.append(
                f"{counted(unknown, 'erased person', 'erased people')} cannot be recognised any more: put the "
                "secret of that time into NEWSLETTER_WEB__FORMER_SECRET_KEYS"
            )
        subscribers = program.store.subscribers
        return {name: await staying_out(subscribers, file, limit=limit) for name, file in lists.load().items()}

    try:
        return within(act)
    except StoreError as error:
        warnings.append(f"who stays out is not known: {error}")
        return {}


def _out_in_words(number: int, first: Sequence[PlannedChange]) -> str:
    return f", of whom {number} {'stays' if number == 1 else 'stay'} out" if number or first else ""


def _out_json(number: int, first: Sequence[PlannedChange]) -> dict[str, Any]:
    return {"number": number, "people": [{"address": one.email, "why": one.reason} for one in first]}


@group.command()
def schema() -> None:
    """Print the JSON Schema of list files, by which editors complete keys, explain them and mark mistakes.

    Keep it beside them: `newsletter lists schema > subscribers/list.schema.json`, and begin a list file with
    `#:schema list.schema.json`.
    """
    import json

    from newsletter.lists.json_schema import json_schema

    say(json.dumps(json_schema(), indent=2))


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

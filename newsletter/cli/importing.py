"""`subscribers import`: people of another program's export come onto a list."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import complain, mistakes_json, say, say_json, say_left_out, table
from newsletter.cli.session import AsJson, OneList, ShownLimit, now, within
from newsletter.core.errors import ListFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsletter.bootstrap import Program
    from newsletter.lists.importing import Export
    from newsletter.readers.exchange import Imported


def import_subscribers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header row.")],
    *,
    list_name: OneList,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column means; may be repeated."),
    ] = None,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out columns that are not known.")
    ] = False,
    status: Annotated[
        str, typer.Option(metavar="WORD", help="Of all, if no column says it: unsubscribed, cleaned, complained.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")] = False,
    limit: ShownLimit = 1000,
    as_json: AsJson = False,
) -> None:
    """Bring people of another program's export onto a list; who left there is suppressed here.

    Exports of Mailchimp, Substack, listmonk and Buttondown are known by their columns. If a row is wrong, nothing
    is imported.
    """
    from newsletter.lists.importing import Export, column_meanings

    try:
        meanings = column_meanings(columns or [])
    except ValueError as error:
        raise UsageError(f"--map: {error}") from None

    def export(program: Program) -> Export:
        list_ = program.lists.read().named(list_name).list
        return Export(file, tuple(list_.topics), meanings, skip_unknown, status, days=list_.days)

    try:
        found = within(lambda program: _import(program, list_name, export(program), rehearsal=dry_run))
    except ListFileError as error:
        _complain_of(error, as_json=as_json)
        raise typer.Exit(Exit.CHECK_FAILED) from None
    _say(found, limit=limit, as_json=as_json, would="would be " if dry_run else "")


async def _import(program: Program, list_name: str, export: Export, *, rehearsal: bool) -> list[Imported]:
    from newsletter.readers.exchange import import_all

    people = export.whole()
    return await import_all(
        program.store, list_name, people, of_file=export.path.name, now=now(), rehearsal=rehearsal
    )


def _complain_of(error: ListFileError, *, as_json: bool) -> None:
    if as_json:
        say_json({"mistakes": mistakes_json(error.mistakes)})
        return
    for mistake in error.mistakes:
        complain(str(mistake))


def _say(found: Sequence[Imported], *, limit: int, as_json: bool, would: str) -> None:
    from newsletter.readers.exchange import Outcome

    counted = Counter(one.outcome for one in found)
    others = [one for one in found if one.outcome is not Outcome.ADDED]
    if as_json:
        rows = [{"line": one.line, "address": one.email, "what": one.outcome, "why": one.why} for one in others]
        numbers = {outcome.replace(" ", "_"): counted[outcome] for outcome in Outcome}
        say_json({**numbers, "rows": rows[:limit]})
        return
    if others:
        rows_shown = [(one.line, one.email, one.outcome, one.why) for one in others[:limit]]
        table(("line", "address", "what", "why"), rows_shown, folds=("why",))
        say_left_out(len(rows_shown), len(others), "rows", is_result=True)
    say(f"{would}{', '.join(f'{count} {outcome}' for outcome, count in counted.items()) or 'nobody'}")

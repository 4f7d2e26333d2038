"""`run`: the daily work, by hand or by cron."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.exits import Exit, code_of_run
from newsletter.cli.output import complain, say
from newsletter.cli.run_reports import failing, say_reports, say_what_happened, with_wrong_files
from newsletter.cli.session import (
    AsJson,
    Day,
    ListName,
    no_list,
    now,
    right_and_wrong,
    settings,
    until_signal,
    within,
)
from newsletter.composition import first_use
from newsletter.core.errors import (
    ConfigurationError,
    ListFileError,
    NewsletterError,
    UsageError,
)
from newsletter.core.text import counted

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Mapping, Sequence
    from datetime import date, datetime

    from newsletter.bootstrap import Program
    from newsletter.core.alarms import Alarm
    from newsletter.pipeline.report import RunReport
    from newsletter.pipeline.run import Wish
    from newsletter.ports import ListFile
    from newsletter.scheduling.first_issue import FirstIssue


_MOST_ALARMS = 20
FailOnAlarm = Annotated[
    bool, typer.Option("--fail-on-alarm", help="End with 1 if an alarm began; for CI, which shows it.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    *,
    list_name: ListName = None,
    date: Day = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Collect and show what would be sent; freeze and send nothing.")
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Say nothing unless mail went out or something is wrong; for cron."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Send the first issue of a list without asking.")
    ] = False,
    fail_on_alarm: FailOnAlarm = False,
    as_json: AsJson = False,
) -> None:
    """Collect, freeze the issue if due, deliver; safe to repeat.

    Without --date: today's issue of each list that is due. With it: the issue of that day, made or finished,
    whatever the hour and weekday, all its deliveries due at once. With --json, a JSON line on stderr shows each
    second how far delivering has come. On a terminal, it asks before the first issue of a list goes out.
    """
    begun_at = now()
    _check_first_use(list_name, date or begun_at.date(), quiet=quiet, as_json=as_json)
    if not (dry_run or yes or date) and sys.stdin.isatty() and sys.stderr.isatty():
        _ask_for_first_issues(list_name)
    work = partial(_run_and_listen, list_name, date, begun_at, dry_run=dry_run, as_json=as_json)
    reports, wrong, alarms = until_signal(work, cut_off=Exit.TEMPORARY, quiet=quiet)
    code = Exit.CONFIGURATION if wrong else code_of_run(reports)
    if as_json:
        reports = with_wrong_files(reports, wrong, date or begun_at.date())
    if quiet and not as_json:
        say_what_happened(reports, alarms)
    else:
        say_reports([report for report in reports if report.is_notable or not quiet], as_json=as_json)
    raise typer.Exit(failing(alarms, code) if fail_on_alarm else code)


def _check_first_use(list_name: str | None, day: date, *, quiet: bool, as_json: bool) -> None:
    """Let a run end before anything is written where nothing was done yet and no list that is meant is right."""
    loaded = settings(quiet=quiet)
    bootstrap.check_folder(loaded)
    if not first_use.is_unused(loaded):
        return
    lists = bootstrap.list_files(loaded)
    right, wrong = right_and_wrong(lists, list_name)
    if right:
        return
    if not wrong:
        raise UsageError(no_list(lists, list_name))
    for error in wrong.values():
        complain(str(error))
    if as_json:
        say_reports(with_wrong_files([], wrong, day), as_json=True)
    raise typer.Exit(Exit.CONFIGURATION)


def _ask_for_first_issues(list_name: str | None) -> None:
    """Ask before the first issue of a list goes out; who only tries the program may not expect that."""
    from newsletter.scheduling.first_issue import first_issues_due

    def due(program: Program) -> Awaitable[list[FirstIssue]]:
        return first_issues_due(program.store, right_and_wrong(program.lists, list_name)[0], now=now())

    for name, readers in within(due):
        who = counted(readers, "reader")
        if not typer.confirm(f"The first issue of {name} is due and goes to {who} now. Send it?", err=True):
            say("nothing was sent; `newsletter run --dry-run` shows what would be")
            raise typer.Exit(Exit.DONE)


async def _run_and_listen(
    list_name: str | None,
    day: date | None,
    begun_at: datetime,
    program: Program,
    stop: asyncio.Event,
    *,
    dry_run: bool,
    as_json: bool,
) -> tuple[list[RunReport], Mapping[str, ListFileError], list[Alarm]]:
    """Run the lists as `_run` says, and return the alarms that have begun since too."""
    reports, wrong = await _run(program, list_name, day, stop, dry_run=dry_run, as_json=as_json)
    newest = await program.store.alarms.newest(limit=_MOST_ALARMS)
    return reports, wrong, [alarm for alarm in newest if alarm.since >= begun_at]


async def _run(
    program: Program, list_name: str | None, day: date | None, stop: asyncio.Event, *, dry_run: bool, as_json: bool
) -> tuple[list[RunReport], Mapping[str, ListFileError]]:
    """Run the lists as `_run_lists` says, then send the mails that sign-ups wait for, tell others, and tidy up."""
    from newsletter.composition import signing_up, telling, tidying, watching
    from newsletter.scheduling.once import ring_for_files

    if dry_run:
        return await _run_lists(program, list_name, day, stop, dry_run=True, as_json=as_json)
    try:
        done = await _run_lists(program, list_name, day, stop, dry_run=False, as_json=as_json)
    except (ConfigurationError, NewsletterError):
        await watching.look_at_end(program)
        await telling.tell_operators(program, stop)  # what ended the run is told in spite of it
        raise
    await ring_for_files(program.alarm, program.lists.read().wrong, now=now())
    await watching.run_ended(program, is_good=not done[1] and code_of_run(done[0]) is Exit.DONE)
    await signing_up.send_waiting_mails(program, stop)
    await telling.tell_now(program, stop)
    await tidying.tidy_when_due(program, stop)
    await tidying.count_readers_when_due(program)
    return done


async def _run_lists(
    program: Program,
    list_name: str | None,
    day: date | None,
    stop: asyncio.Event,
    *,
    dry_run: bool,
    as_json: bool,
) -> tuple[list[RunReport], Mapping[str, ListFileError]]:
    """Run the lists whose files are right, and deliver what other lists have closed.

    Returns:
        The reports, and what is wrong with the files of lists, by the names of these.

    Raises:
        UsageError: there is no such list, or none at all, and nothing of it is open.
    """
    from newsletter.cli.progress import progress
    from newsletter.pipeline.run import Wish

    files, wrong = right_and_wrong(program.lists, list_name)
    for error in wrong.values():
        complain(str(error))
    reports = []
    with progress(as_json=as_json) as shown:
        wish = Wish(day=day, progress=shown, stop=stop)
        right = []
        for file in files:
            try:
                reports.append(await _run_list(program, file, wish, dry_run=dry_run))
                right.append(file)
            except ListFileError as error:  # of its members file, which is read when it is needed
                complain(str(error))
                wrong[file.list.name] = error
        if not dry_run:
            reports += await _deliver_without_file(program, list_name, right, wish)
    if not reports and not wrong:
        raise UsageError(no_list(program.lists, list_name))
    return reports, wrong


async def _run_list(program: Program, file: ListFile, wish: Wish, *, dry_run: bool) -> RunReport:
    from newsletter.scheduling.once import rehearse_once, run_once

    if dry_run:
        return await rehearse_once(program.pipeline, file, now=now(), wish=wish)
    return await run_once(program.pipeline, program.alarm, file, now=now(), wish=wish)


async def _deliver_without_file(
    program: Program, list_name: str | None, files: Sequence[ListFile], wish: Wish
) -> list[RunReport]:
    """Deliver what is closed of lists whose files are wrong or gone: of all, or of the one that was asked for."""
    from newsletter.core.newsletter_list import editions_of

    if list_name is None:
        with_file = [edition for file in files for edition in file.list.masthead.editions]
        return await program.pipeline.run_without_file(but=with_file, now=now(), wish=wish)
    if files:
        return []
    return await program.pipeline.run_without_file(lists=editions_of(list_name), now=now(), wish=wish)

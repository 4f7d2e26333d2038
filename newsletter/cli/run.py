"""`run`: the daily work, by hand or by cron."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit, code_of_run
from newsletter.cli.moments import minute
from newsletter.cli.output import complain, fold, say, say_json
from newsletter.cli.session import AsJson, Day, ListName, no_list, now, right_and_wrong, until_signal, within
from newsletter.core.errors import (
    ConfigurationError,
    ListFileError,
    MissedError,
    NewsletterError,
    SourceError,
    UsageError,
)
from newsletter.core.text import counted, one_line

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Sequence
    from datetime import date, datetime

    from newsletter.bootstrap import Program
    from newsletter.core.alarms import Alarm
    from newsletter.pipeline.rehearsal import Rehearsal
    from newsletter.pipeline.report import RunReport
    from newsletter.pipeline.run import Wish
    from newsletter.ports import ListFile
    from newsletter.scheduling.first_issue import FirstIssue


_MOST_ALARMS = 20


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
    fail_on_alarm: Annotated[
        bool,
        typer.Option("--fail-on-alarm", help="End with 1 if an alarm began; for CI, which shows it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Collect, freeze the issue if due, deliver; safe to repeat.

    Without --date: today's issue of each list that is due. With it: the issue of that day, made or finished,
    whatever the hour and weekday, all its deliveries due at once. With --json, a JSON line on stderr shows each
    second how far delivering has come. On a terminal, it asks before the first issue of a list goes out.
    """
    if not (dry_run or yes or date) and sys.stdin.isatty() and sys.stderr.isatty():
        _ask_for_first_issues(list_name)
    begun_at = now()
    reports, is_wrong, alarms = until_signal(
        lambda program, stop: _run_and_listen(
            program, list_name, date, stop, begun_at, dry_run=dry_run, as_json=as_json
        ),
        cut_off=Exit.TEMPORARY,
        quiet=quiet,
    )
    _say_reports(reports if not quiet else _say_briefly(reports, alarms, as_json=as_json), as_json=as_json)
    code = Exit.CONFIGURATION if is_wrong else code_of_run(reports)
    raise typer.Exit(_failing(alarms, code) if fail_on_alarm else code)


def _failing(alarms: Sequence[Alarm], code: Exit) -> Exit:
    """Print alarms that began; return the exit code, which then is not one of success."""
    _say_alarms(alarms)
    return Exit.CHECK_FAILED if alarms and code in {Exit.DONE, Exit.TEMPORARY} else code


def _say_briefly(reports: Sequence[RunReport], alarms: Sequence[Alarm], *, as_json: bool) -> list[RunReport]:
    """Print a line for each list with which something went wrong; return those to print whole.

    These are the ones of lists whose mail went out. An issue that was missed stays so for a day; it is told once,
    when its alarm begins.
    """
    from newsletter.core.alarms import OF_FILES

    begun, whole = {alarm.subject for alarm in alarms}, []
    for report in reports:
        if not report.is_notable and begun.isdisjoint(edition.list for edition in report.editions):
            continue
        if as_json or any(edition.sent_now for edition in report.editions):
            whole.append(report)
            continue
        for edition in report.editions:
            reasons = dict.fromkeys([edition.reason, *edition.failures.values()])
            why = "; ".join(reason for reason in reasons if reason)
            say(f"{edition.list} {edition.date}: {edition.status.value}{f': {why}' if why else ''}")
    told = {edition.list for report in reports for edition in report.editions}
    # What is wrong with files was said when they were read.
    _say_alarms([alarm for alarm in alarms if alarm.subject not in told and alarm.cause not in OF_FILES])
    return whole


def _say_alarms(alarms: Sequence[Alarm]) -> None:
    for alarm in alarms:
        complain(f"alarm: {alarm.cause} of {alarm.subject}: {alarm.reason}")


def _say_reports(reports: Sequence[RunReport], *, as_json: bool) -> None:
    for report in reports:
        for edition in report.editions:
            # Missed hours and sources that do not answer stand in the report itself.
            if edition.trouble and not isinstance(edition.trouble, (MissedError, SourceError)):
                complain(f"list {edition.list}: {edition.trouble}")
        if as_json:
            say_json(report.as_json())
        else:
            _say_report(report)


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
    program: Program,
    list_name: str | None,
    day: date | None,
    stop: asyncio.Event,
    begun_at: datetime,
    *,
    dry_run: bool,
    as_json: bool,
) -> tuple[list[RunReport], bool, list[Alarm]]:
    """Run the lists as `_run` says, and return the alarms that have begun since too."""
    reports, is_wrong = await _run(program, list_name, day, stop, dry_run=dry_run, as_json=as_json)
    newest = await program.store.alarms.newest(limit=_MOST_ALARMS)
    return reports, is_wrong, [alarm for alarm in newest if alarm.since >= begun_at]


async def _run(
    program: Program, list_name: str | None, day: date | None, stop: asyncio.Event, *, dry_run: bool, as_json: bool
) -> tuple[list[RunReport], bool]:
    """Run the lists as `_run_lists` says, then send the mails that sign-ups wait for, tell others, and tidy up."""
    from newsletter import signing_up, telling, tidying, watching
    from newsletter.scheduling.once import ring_for_files

    if dry_run:
        return await _run_lists(program, list_name, day, stop, dry_run=True, as_json=as_json)
    try:
        done = await _run_lists(program, list_name, day, stop, dry_run=False, as_json=as_json)
    except (ConfigurationError, NewsletterError):
        with suppress(NewsletterError):  # what ended the run is told in spite of it
            await telling.tell_now(program, stop)
        raise
    await ring_for_files(program.alarm, program.lists.read().wrong, now=now())
    await watching.run_ended(program, is_good=not done[1] and code_of_run(done[0]) is Exit.DONE)
    await signing_up.send_waiting_mails(program, stop)
    await telling.tell_now(program, stop)
    await tidying.tidy_when_due(program, stop)
    return done


async def _run_lists(
    program: Program,
    list_name: str | None,
    day: date | None,
    stop: asyncio.Event,
    *,
    dry_run: bool,
    as_json: bool,
) -> tuple[list[RunReport], bool]:
    """Run the lists whose files are right, and deliver what other lists have closed.

    Returns:
        The reports, and whether the file of a list is wrong.

    Raises:
        UsageError: there is no such list, or none at all, and nothing of it is open.
    """
    from newsletter.cli.progress import progress
    from newsletter.pipeline.run import Wish

    files, wrong = right_and_wrong(program.lists, list_name)
    for error in wrong:
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
                wrong.append(error)
        if not dry_run:
            reports += await _deliver_without_file(program, list_name, right, wish)
    if not reports and not wrong:
        raise UsageError(no_list(program.lists, list_name))
    return reports, bool(wrong)


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


def _say_report(report: RunReport) -> None:
    values = report.as_json()
    _tell(f"{report.list} {report.date}: {report.status.value}{f' ({report.reason})' if report.reason else ''}")
    if report.read or report.collected or report.failures or report.issue is None:
        _tell(f"  {_collected(report)}")
    for reason in report.failures.values():
        _tell(f"  failed: {reason}")
    if report.issue is not None:
        number = f"issue {report.issue.number}" if report.issue.number else "draft"
        _tell(f"  {number}: {report.issue.subject}")
        _tell(f"  {counted(report.issue.listings, 'paper')}, {report.issue.html_bytes:,} bytes of HTML")
    if report.rehearsal is not None:
        _say_rehearsal(report.rehearsal)
    if report.deliveries or report.suppressed:
        states = ", ".join(f"{count:,} {state}" for state, count in values["deliveries"].items() if count)
        _tell(f"  deliveries: {states}; sent just now: {report.sent_now:,}")
    if report.weekly is not None:
        _say_report(report.weekly)


def _collected(report: RunReport) -> str:
    """Return in words what sources brought; what is new to the readers is known only if nothing went wrong."""
    listed = ", ".join(f"{count:,} from {scheme}" for scheme, count in report.collected.items() if count)
    said = f"{counted(report.read, 'paper')} read; listed that day: {listed or 'none'}"
    if report.skipped:
        said += f"; {report.skipped:,} could not be read, see the warnings"
    return said if report.trouble else f"{said}; new to the readers: {report.new:,}"


def _say_rehearsal(rehearsal: Rehearsal) -> None:
    """Print what an issue would bring, to how many readers, and when."""
    for number, title in enumerate(rehearsal.titles, start=1):
        _tell(f"  {number:3}. {one_line(title)}")
    zone, due = rehearsal.timezone, ""
    if rehearsal.due_at and rehearsal.titles:
        own = "all at once" if rehearsal.at_once else "or at the reader's own hour"
        due = f", due {minute(rehearsal.due_at, zone)} ({zone}), {own}"
    _tell(f"  {counted(rehearsal.readers, 'reader')}{due}")
    for copy in rehearsal.copies:
        at = minute(copy.due_at, zone) if copy.due_at else "nothing"
        _tell(f"    {copy.email}: {at}{f' ({copy.reason})' if copy.reason else ''}")
    if rehearsal.copies and len(rehearsal.copies) < rehearsal.readers:
        _tell(f"    … and {rehearsal.readers - len(rehearsal.copies):,} more")


def _tell(line: str) -> None:
    say(fold(line, indent=4))

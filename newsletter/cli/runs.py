"""`run` and `collect`: the daily work, by hand or by cron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.exits import Exit, code_of, code_of_run
from newsletter.cli.output import complain, progress, say, say_json
from newsletter.cli.session import AsJson, Day, ListName, chosen, until_signal
from newsletter.core.errors import MissedError, NewsletterError, SourceError, StoppedError
from newsletter.pipeline.report import RunReport, RunStatus
from newsletter.pipeline.stopping import unless_stopped

if TYPE_CHECKING:
    import asyncio
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.cli.output import DeliveryProgress
    from newsletter.core.newsletter_list import Masthead
    from newsletter.pipeline.collect import Collected
    from newsletter.ports import ListFile

_PANEL = "Daily work"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=_PANEL)(run)
    app.command(rich_help_panel=_PANEL)(collect)


def run(
    *,
    list_name: ListName = None,
    date: Day = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Collect and show what would be sent; freeze and send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Collect, freeze the issue if due, deliver; safe to repeat.

    Without --date: today's issue of each list that is due. With it: the issue of that day, made or finished,
    whatever the hour and weekday, all its deliveries due at once. With --json, each second of delivering is told
    by a JSON line on stderr.
    """
    reports, code = until_signal(
        lambda program, stop: _run_all(program, list_name, date, stop, dry_run=dry_run, as_json=as_json),
        cut_off=Exit.TEMPORARY,
    )
    for report in reports:
        if as_json:
            say_json(report.as_json())
        else:
            _say_report(report)
    raise typer.Exit(code)


async def _run_all(
    program: Program,
    list_name: str | None,
    day: date | None,
    stop: asyncio.Event,
    *,
    dry_run: bool,
    as_json: bool,
) -> tuple[list[RunReport], int]:
    files = chosen(program.lists.load(), list_name)
    reports, errors = [], []
    with progress(as_json=as_json) as shown:
        for file in files:
            try:
                reports.append(await _run_one(program, file, day, dry_run, shown, stop))
            except StoppedError as error:
                on = day or program.pipeline.day(file.list)
                reports.append(
                    RunReport(list=file.list.name, date=on, status=RunStatus.PARTIAL, reason=str(error))
                )
            except NewsletterError as error:
                # One list's trouble is not the next one's.
                on = day or program.pipeline.day(file.list)
                if not dry_run:
                    await program.alarm.ring(file.list.masthead, on, error)
                complain(f"list {file.list.name}: {error}")
                errors.append(error)
                reports.append(RunReport(list=file.list.name, date=on, status=RunStatus.FAILED, reason=str(error)))
    if errors and len(errors) == len(files):
        return reports, code_of(errors[0])
    return reports, code_of_run(reports)


async def _run_one(
    program: Program,
    file: ListFile,
    day: date | None,
    dry_run: bool,  # noqa: FBT001 (passed on under its name)
    shown: DeliveryProgress | None,
    stop: asyncio.Event,
) -> RunReport:
    if dry_run:
        return await unless_stopped(stop, program.pipeline.rehearse(file, day=day))
    report = await program.pipeline.run(file, day=day, progress=shown, stop=stop)
    await _alarm(program, file.list.masthead, report)
    if report.weekly is not None and file.list.weekly_edition is not None:
        await _alarm(program, file.list.weekly_edition.masthead, report.weekly)
    return report


async def _alarm(program: Program, masthead: Masthead, report: RunReport) -> None:
    """Tell the operator of an issue that was due and could not be made, or was missed."""
    if report.status is RunStatus.MISSED:
        await program.alarm.ring(masthead, report.date, MissedError(report.reason))
    elif report.due and report.status is RunStatus.FAILED and report.issue is None:
        await program.alarm.ring(masthead, report.date, SourceError("; ".join(report.failures.values())))


def _say_report(report: RunReport) -> None:
    values = report.as_json()
    say(f"{report.list} {report.date}: {report.status.value}{f' ({report.reason})' if report.reason else ''}")
    collected = ", ".join(f"{count} from {scheme}" for scheme, count in report.collected.items())
    say(f"  listed that day: {collected or 'nothing'}; new to the readers: {report.new}")
    for reason in report.failures.values():
        say(f"  failed: {reason}")
    if report.issue is not None:
        number = f"issue {report.issue.number}" if report.issue.number else "draft"
        say(f"  {number}: {report.issue.subject}")
        say(f"  {report.issue.listings} papers, {report.issue.html_bytes:,} bytes of HTML")
    if report.deliveries or report.suppressed:
        states = ", ".join(f"{count} {state}" for state, count in values["deliveries"].items() if count)
        say(f"  deliveries: {states}; sent just now: {report.sent_now}")
    if report.weekly is not None:
        _say_report(report.weekly)


def collect(*, list_name: ListName = None, date: Day = None, as_json: AsJson = False) -> None:
    """Fetch listings and sightings now; only adds, safe to repeat at any time."""
    results = until_signal(
        lambda program, stop: unless_stopped(stop, _collect_all(program, list_name, date)),
        cut_off=Exit.TEMPORARY,
    )
    for name, on, collected in results:
        if as_json:
            say_json(_collected_json(name, on, collected))
            continue
        say(f"{name} {on}: read {collected.read} listings, {collected.new} of them new")
        for reason in collected.failures.values():
            say(f"  failed: {reason}")
    nothing = bool(results) and all(collected.nothing_answered for _, _, collected in results)
    raise typer.Exit(Exit.UNAVAILABLE if nothing else Exit.DONE)


async def _collect_all(
    program: Program, list_name: str | None, day: date | None
) -> list[tuple[str, date, Collected]]:
    results = []
    for file in chosen(program.lists.load(), list_name):
        on = day or program.pipeline.today(file.list)
        results.append((file.list.name, on, await program.pipeline.collect(file.list, on)))
    return results


def _collected_json(name: str, on: date, collected: Collected) -> dict[str, Any]:
    return {
        "list": name,
        "date": on.isoformat(),
        "collected": dict(collected.listed),
        "read": collected.read,
        "new": collected.new,
        "skipped": collected.skipped,
        "repeats": list(collected.repeats),
        "failures": dict(collected.failures),
    }

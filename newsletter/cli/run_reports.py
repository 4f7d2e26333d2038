"""What `run` says of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.cli.exits import Exit
from newsletter.cli.moments import minute
from newsletter.cli.output import complain, fold, say, say_json
from newsletter.core.errors import MissedError, SourceError
from newsletter.core.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from newsletter.core.alarms import Alarm
    from newsletter.core.errors import ListFileError
    from newsletter.pipeline.rehearsal import Rehearsal
    from newsletter.pipeline.report import RunReport


def failing(alarms: Sequence[Alarm], code: Exit) -> Exit:
    """Print alarms that began; return the exit code, which then is not one of success."""
    _say_alarms(alarms)
    return Exit.CHECK_FAILED if alarms and code in {Exit.DONE, Exit.TEMPORARY} else code


def with_wrong_files(
    reports: Sequence[RunReport], wrong: Mapping[str, ListFileError], day: date
) -> list[RunReport]:
    """Return the reports, with one for each list whose file is wrong too.

    Args:
        reports: of the lists whose files are right, and of issues that were closed before a file was wrong.
        wrong: what is wrong with list files, by the names of their lists.
        day: for what day the issues would have been; the zone of a list stands in its file.
    """
    from dataclasses import replace

    from newsletter.pipeline.report import RunReport, RunStatus

    reasons = {name: "; ".join(str(mistake) for mistake in error.mistakes) for name, error in wrong.items()}
    told = {report.list for report in reports}
    return [
        *(replace(one, reason=one.reason or reasons.get(one.list, "")) for one in reports),
        *(
            RunReport(list=name, date=day, status=RunStatus.FAILED, reason=reason)
            for name, reason in reasons.items()
            if name not in told
        ),
    ]


def say_what_happened(reports: Sequence[RunReport], alarms: Sequence[Alarm]) -> None:
    """Print the reports of lists whose mail went out; of others one line, if something went wrong.

    An issue that was missed stays so for a day; it is told once, when its alarm begins.
    """
    from newsletter.core.alarms import OF_FILES

    begun = {alarm.subject for alarm in alarms}
    for report in reports:
        if any(edition.sent_now for edition in report.editions):
            _say_report(report)
        elif report.is_notable or begun & {edition.list for edition in report.editions}:
            for edition in report.editions:
                reasons = dict.fromkeys([edition.reason, *edition.failures.values()])
                why = "; ".join(reason for reason in reasons if reason)
                say(f"{edition.list} {edition.date}: {edition.status.value}{f': {why}' if why else ''}")
    told = {edition.list for report in reports for edition in report.editions}
    # What is wrong with files was said when they were read.
    _say_alarms([alarm for alarm in alarms if alarm.subject not in told and alarm.cause not in OF_FILES])


def _say_alarms(alarms: Sequence[Alarm]) -> None:
    for alarm in alarms:
        complain(f"alarm: {alarm.cause} of {alarm.subject}: {alarm.reason}")


def say_reports(reports: Sequence[RunReport], *, as_json: bool) -> None:
    """Print reports, each whole."""
    for report in reports:
        for edition in report.editions:
            # Missed hours and sources that do not answer stand in the report itself.
            if edition.trouble and not isinstance(edition.trouble, (MissedError, SourceError)):
                complain(f"list {edition.list}: {edition.trouble}")
        if as_json:
            say_json(report.as_json())
        else:
            _say_report(report)


def _say_report(report: RunReport) -> None:
    values = report.as_json()
    _tell(f"{report.list} {report.date}: {report.status.value}{f' ({report.reason})' if report.reason else ''}")
    has_read = report.read or report.collected or report.failures
    if has_read or (report.issue is None and report.trouble is None):  # where the ledger ended it, nobody knows
        _tell(f"  {_collected(report)}")
    for reason in report.failures.values():
        _tell(f"  failed: {reason}")
    if report.issue is not None:
        number = f"issue {report.issue.number}" if report.issue.number else "draft"
        _tell(f"  {number}: {report.issue.subject}")
        _tell(f"  {counted(report.issue.listings, 'paper')}, {report.issue.html_bytes:,} bytes of HTML")
    if report.summaries is not None:
        _tell(f"  summaries: {report.summaries.in_words()}")
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

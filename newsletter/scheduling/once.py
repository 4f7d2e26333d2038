"""One run of one list, by hand or by cron, with the alarm that it may need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from newsletter.core.alarms import OF_FILES
from newsletter.core.calendar import agenda
from newsletter.core.errors import FileChangedError, ListFileError, NewsletterError, StoppedError
from newsletter.operations.alarms import issue_failed, issue_made
from newsletter.pipeline.report import RunReport, RunStatus
from newsletter.pipeline.run import Pipeline, Wish
from newsletter.ports import ListFile, OperatorAlarm
from newsletter.stopping import unless_stopped


async def run_once(
    pipeline: Pipeline, alarm: OperatorAlarm, file: ListFile, *, now: datetime, wish: Wish
) -> RunReport:
    """Run a list, ring the alarm for an issue that was due and is not made, and say when it is made.

    Trouble is in the report, as `failed`, so that the next list can be run; so is a stop, as `partial`.

    Raises:
        ConfigurationError: the database is an older copy of the one that was used last.
        ListFileError: the list's members file has changed and is wrong.
    """
    try:
        report = await pipeline.run(file, now=now, wish=wish)
    except StoppedError as error:
        return _ended(file, now, wish, RunStatus.PARTIAL, error)
    except FileChangedError:  # somebody is at it
        raise
    except ListFileError as error:
        await issue_failed(alarm, file.list.name, now.date(), error)
        raise
    except NewsletterError as error:
        report = _ended(file, now, wish, RunStatus.FAILED, error)
    else:
        await alarm.over(OF_FILES, file.list.name)
    for edition in report.editions:
        await tell_of(alarm, edition)
    return report


async def ring_for_files(alarm: OperatorAlarm, wrong: Mapping[str, ListFileError], *, now: datetime) -> None:
    """Ring the alarm for list files that are wrong, by the names of their lists."""
    for name, error in wrong.items():
        await issue_failed(alarm, name, now.date(), error)


async def tell_of(alarm: OperatorAlarm, report: RunReport) -> None:
    """Ring the alarm for an edition whose issue could not be made, or say that it has its issue again."""
    if report.trouble is not None:
        await issue_failed(alarm, report.list, report.date, report.trouble)
    elif report.status is RunStatus.NOTHING_NEW or report.issue is not None:
        await issue_made(alarm, report.list)


async def rehearse_once(pipeline: Pipeline, file: ListFile, *, now: datetime, wish: Wish) -> RunReport:
    """Collect and report what a run would send; freeze and send nothing, and ring no alarm."""
    try:
        return await unless_stopped(wish.stop, pipeline.rehearse(file, now=now, day=wish.day))
    except StoppedError as error:
        return _ended(file, now, wish, RunStatus.PARTIAL, error)
    except NewsletterError as error:
        return _ended(file, now, wish, RunStatus.FAILED, error)


def _ended(file: ListFile, now: datetime, wish: Wish, status: RunStatus, error: NewsletterError) -> RunReport:
    """Return the report of a run that an error ended."""
    day = wish.day or agenda(file.list, now).day
    trouble = error if status is RunStatus.FAILED else None
    return RunReport(list=file.list.name, date=day, status=status, reason=str(error), trouble=trouble)

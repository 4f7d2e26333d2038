"""One run of one list, by hand or by cron, with the alarm that it may need."""

from __future__ import annotations

from datetime import datetime

from newsletter.core.calendar import agenda
from newsletter.core.errors import NewsletterError, StoppedError
from newsletter.pipeline.report import RunReport, RunStatus
from newsletter.pipeline.run import Pipeline, Wish
from newsletter.pipeline.stopping import unless_stopped
from newsletter.ports import ListFile, OperatorAlarm


async def run_once(
    pipeline: Pipeline, alarm: OperatorAlarm, file: ListFile, *, now: datetime, wish: Wish
) -> RunReport:
    """Run a list, and ring the alarm for an issue that was due and is not made.

    Trouble is in the report, as `failed`, so that the next list can be run; so is a stop, as `partial`.

    Raises:
        ConfigurationError: the database is an older copy of the one that was used last.
    """
    try:
        report = await pipeline.run(file, now=now, wish=wish)
    except StoppedError as error:
        return _ended(file, now, wish, RunStatus.PARTIAL, error)
    except NewsletterError as error:
        report = _ended(file, now, wish, RunStatus.FAILED, error)
    mastheads = {list_.name: list_.masthead for list_ in (file.list, file.list.weekly_edition) if list_}
    for edition in report.editions:
        if edition.trouble is not None:
            await alarm.ring(mastheads[edition.list], edition.date, edition.trouble)
    return report


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

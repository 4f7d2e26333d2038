"""The operator's alarm: it rings once a cause and subject over all machines, and says when that is over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import structlog
from typing_extensions import override

from newsletter.core.alarms import OF_FILES, OF_ISSUE, OF_LISTS, Cause, Found, cause_of
from newsletter.core.errors import ConfigurationError, NewsletterError, StoreError
from newsletter.core.text import without_addresses
from newsletter.ports import Alarms, Clock, OperatorAlarm

log = structlog.get_logger(__name__)


class LedgerAlarm(OperatorAlarm):
    """Keeps alarms in the ledger, with a notice for each who is told; `composition.telling` sends these."""

    def __init__(self, alarms: Alarms, receivers: Collection[str], clock: Clock) -> None:
        """Take where alarms are kept, who is told (by the names in the ledger), and the clock."""
        self._alarms = alarms
        self._receivers = receivers
        self._clock = clock

    @override
    async def ring(self, cause: Cause, subject: str, reason: str, *, day: date | None = None) -> None:
        reason = without_addresses(reason)  # it goes to webhooks and chats, and stays for a year
        about = _about(cause, subject) | ({"day": str(day)} if day else {})
        try:
            what = await self._alarms.ring(
                cause, subject, reason, day=day, tell=self._receivers, now=self._clock()
            )
        except StoreError as error:
            log.error("alarm_not_noted", **about, reason=reason, trouble=str(error))  # noqa: TRY400 (one line)
            return
        if what is Found.NEW:
            log.error("alarm", **about, reason=reason)
        elif what is Found.LASTING:
            log.warning("alarm_lasts", **about, reason=reason)

    @override
    async def over(self, causes: Collection[Cause], subject: str) -> None:
        try:
            ended = await self._alarms.over(causes, subject, tell=self._receivers, now=self._clock())
        except StoreError as error:
            log.error("alarm_not_noted", subject=subject, trouble=str(error))  # noqa: TRY400 (one line)
            return
        for one in ended:
            log.info("alarm_over", **_about(one.cause, one.subject), since=one.since.isoformat())


def _about(cause: Cause, subject: str) -> dict[str, str]:
    """Return what a log line says of an alarm."""
    return {"cause": cause.value, "list" if cause in OF_LISTS else "subject": subject}


async def issue_failed(
    alarm: OperatorAlarm, list_name: str, day: date, error: NewsletterError | ConfigurationError
) -> None:
    """Ring for an issue of a list that cannot be made, or for the list's files."""
    cause = cause_of(error)
    await alarm.ring(cause, list_name, str(error), day=None if cause in OF_FILES else day)


async def issue_made(alarm: OperatorAlarm, list_name: str) -> None:
    """Say that a list has its issue again, or needs none."""
    await alarm.over(OF_ISSUE, list_name)

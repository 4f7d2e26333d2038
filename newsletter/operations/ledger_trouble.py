"""The alarm for the ledger itself: it cannot be kept there, so a file beside it shows that it has rung."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

import structlog

from newsletter.core.alarm_words import told_of
from newsletter.core.alarms import OVER, RAISED, Alarm, Cause
from newsletter.core.errors import StoreError
from newsletter.core.notices import Notice
from newsletter.core.text import one_line
from newsletter.ports import Clock

log = structlog.get_logger(__name__)

# Another process may write for a minute; and each try to tell has this pause after it.
_PATIENCE = timedelta(minutes=5)

# Tells all who are to be told, at once; returns whether anybody was.
Tells = Callable[[Notice], Awaitable[bool]]


class LedgerTrouble:
    """Tells the operator that the ledger cannot be used, once a machine, and when it can be used again."""

    def __init__(self, mark: Path, tell: Tells, clock: Clock) -> None:
        """Begin.

        Args:
            mark: the file that shows that the alarm has rung, and since when there was trouble.
            tell: tells the operator without the ledger.
            clock: the present moment.
        """
        self._mark, self._tell, self._clock = mark, tell, clock
        self._told = _read(mark)  # the alarm that rang, here or in a process before
        self._since: datetime | None = None  # of the trouble at hand
        self._next_try: datetime | None = None

    async def failed(self, error: StoreError) -> None:
        """Take in that the ledger could not be used; it rings when that lasts. Never raises."""
        now = self._clock()
        if self._since is None or self._next_try is None:
            self._since, self._next_try = now, now + _PATIENCE
        if self._told is not None or now < self._next_try:
            return
        self._next_try = now + _PATIENCE
        alarm = Alarm(
            id=f"msg_{token_hex(16)}",
            cause=Cause.LEDGER,
            subject="ledger",
            reason=one_line(str(error), 500),
            day=None,
            since=self._since,
            seen_at=now,
        )
        log.error("alarm", cause=alarm.cause.value, subject=alarm.subject, reason=alarm.reason)
        if await self._tell(_notice(alarm, RAISED, now)):
            self._told = alarm
            _write(self._mark, alarm)

    async def worked(self) -> None:
        """Take in that the ledger could be used; what was told is over. Never raises."""
        self._since = self._next_try = None
        if self._told is None:
            return
        alarm, self._told = replace(self._told, over_at=self._clock()), None
        with suppress(OSError):  # it could not be made
            self._mark.unlink(missing_ok=True)
        log.info("alarm_over", cause=alarm.cause.value, subject=alarm.subject, since=alarm.since.isoformat())
        await self._tell(_notice(alarm, OVER, self._clock()))


def _notice(alarm: Alarm, kind: str, now: datetime) -> Notice:
    number = alarm.id if kind == RAISED else f"{alarm.id}_over"
    return Notice(
        key=0,
        id=number,
        receiver="",
        kind=kind,
        at=now,
        data=json.dumps(told_of(alarm)),
        issue_key=None,
        subscriber_key=None,
        attempts=1,
    )


def _write(mark: Path, alarm: Alarm) -> None:
    """Write down that an alarm has rung; without room for it, this process alone remembers."""
    kept = {"id": alarm.id, "reason": alarm.reason, "since": alarm.since.isoformat()}
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(kept), encoding="utf-8")
    except OSError as error:
        log.warning("alarm_not_noted", file=str(mark), reason=error.strerror)


def _read(mark: Path) -> Alarm | None:
    """Return the alarm that has rung, if there is one."""
    try:
        kept = json.loads(mark.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(kept["since"])
        return Alarm(
            id=str(kept["id"]),
            cause=Cause.LEDGER,
            subject="ledger",
            reason=str(kept["reason"]),
            day=None,
            since=since,
            seen_at=since,
        )
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or half of one
        return None

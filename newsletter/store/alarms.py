"""Alarms, in SQL; what is told of them become notices in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.alarm_words import told_of
from newsletter.core.alarms import KEPT_FOR, OVER, RAISED, Alarm, Cause, Found, found
from newsletter.core.notices import NoticeState
from newsletter.core.text import one_line
from newsletter.ports.alarm import Alarms
from newsletter.store.alarm_tables import alarms
from newsletter.store.engine import Database
from newsletter.store.events import new_id
from newsletter.store.notice_tables import notices

# The name under which one transaction at a time changes alarms (`Database.alone`).
_CHANGING = "change alarms"
_LONGEST_REASON = 1000
_LASTS = alarms.c.over_at.is_(None)
_OF_ALARM = [column for column in alarms.c if column.name != "key"]


class SqlAlarms(Alarms):
    """A row for each time that there was trouble."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def ring(
        self,
        cause: Cause,
        subject: str,
        reason: str,
        *,
        day: date | None,
        tell: Collection[str],
        now: datetime,
    ) -> Found:
        reason = one_line(reason, _LONGEST_REASON)
        this = sa.and_(alarms.c.cause == cause, alarms.c.subject == subject, _LASTS)
        query = sa.select(*_OF_ALARM).where(this)
        async with self._database.read() as connection:
            if found(await _first(connection, query), reason, now) is Found.KNOWN:
                return Found.KNOWN
        async with self._database.write() as connection:
            await self._database.alone(connection, _CHANGING)
            what = found(await _first(connection, query), reason, now)
            if what is Found.LASTING:
                await connection.execute(sa.update(alarms).where(this).values(reason=reason, seen_at=now))
            elif what is Found.NEW:
                alarm = Alarm(
                    id=new_id(), cause=cause, subject=subject, reason=reason, day=day, since=now, seen_at=now
                )
                await connection.execute(
                    sa.insert(alarms).values(**{c.name: getattr(alarm, c.name) for c in _OF_ALARM})
                )
                await _note(connection, RAISED, [alarm], tell, now)
        return what

    @override
    async def over(
        self, causes: Collection[Cause], subject: str, *, tell: Collection[str], now: datetime
    ) -> list[Alarm]:
        these = sa.and_(alarms.c.cause.in_(causes), alarms.c.subject == subject, _LASTS)
        query = sa.select(*_OF_ALARM).where(these).order_by(alarms.c.key)
        async with self._database.read() as connection:
            if await _first(connection, query) is None:
                return []
        async with self._database.write() as connection:
            await self._database.alone(connection, _CHANGING)
            rows = (await connection.execute(query)).mappings().all()
            ended = [Alarm(**dict(row) | {"over_at": now}) for row in rows]
            await connection.execute(sa.update(alarms).where(these).values(over_at=now))
            await _hasten(connection, [one.id for one in ended], now)
            await _note(connection, OVER, ended, tell, now)
        return ended

    @override
    async def lasting(self) -> list[Alarm]:
        return await self._alarms(sa.select(*_OF_ALARM).where(_LASTS).order_by(alarms.c.key))

    @override
    async def newest(self, *, limit: int) -> list[Alarm]:
        return await self._alarms(sa.select(*_OF_ALARM).order_by(alarms.c.key.desc()).limit(limit))

    async def _alarms(self, query: sa.Select[Any]) -> list[Alarm]:
        async with self._database.read() as connection:
            return [Alarm(**row) for row in (await connection.execute(query)).mappings()]

    @override
    async def forget_old(self, *, now: datetime) -> None:
        is_old = alarms.c.over_at <= now - KEPT_FOR
        async with self._database.read() as connection:
            if not await connection.scalar(sa.select(sa.exists().where(is_old))):
                return
        async with self._database.write() as connection:
            await connection.execute(sa.delete(alarms).where(is_old))


async def _first(connection: AsyncConnection, query: sa.Select[Any]) -> Alarm | None:
    row = (await connection.execute(query.limit(1))).mappings().first()
    return None if row is None else Alarm(**row)


async def _hasten(connection: AsyncConnection, ids: Collection[str], now: datetime) -> None:
    """Let what was not told of the beginning of some alarms be tried now, so that it stands before their end."""
    waiting = sa.and_(notices.c.id.in_(ids), notices.c.state == NoticeState.WAITING, notices.c.ready_at > now)
    await connection.execute(sa.update(notices).where(waiting).values(ready_at=now))


async def _note(
    connection: AsyncConnection, kind: str, told: Collection[Alarm], receivers: Collection[str], now: datetime
) -> None:
    """Write the notices of some alarms."""
    rows = [
        {
            "id": alarm.id if kind == RAISED else f"{alarm.id}_over",
            "receiver": receiver,
            "kind": kind,
            "at": now,
            "data": json.dumps(told_of(alarm)),
            "issue_key": None,
            "subscriber_key": None,
            "state": NoticeState.WAITING,
            "attempts": 0,
            "ready_at": now,
            "reason": "",
        }
        for alarm in told
        for receiver in receivers
    ]
    if rows:
        await connection.execute(sa.insert(notices), rows)

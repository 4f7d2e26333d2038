"""Notices to webhooks and channels, in SQL."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.notices import KEPT_FOR, LEASE, POST, Notice, NoticeState
from newsletter.core.steps import OPEN
from newsletter.core.text import one_line
from newsletter.ports.notices import NoticeCounts, Notices
from newsletter.store.bulk import insert
from newsletter.store.engine import Database
from newsletter.store.events import new_id
from newsletter.store.notice_tables import notices
from newsletter.store.states import has_any, state_counts
from newsletter.store.tables import issues

# The name under which one transaction at a time claims notices (`Database.alone`).
_CLAIMING = "claim notices"
_LONGEST_REASON = 500
_OF_NOTICE = ("key", "id", "receiver", "kind", "at", "data", "issue_key", "subscriber_key", "attempts", "state")
_UNDONE = (NoticeState.WAITING, NoticeState.SENDING)


class SqlNotices(Notices):
    """A row for each receiver of each event or post."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def ripen(self, *, now: datetime) -> None:
        pending = sa.and_(notices.c.state == NoticeState.PENDING, issues.c.key == notices.c.issue_key)
        done = (
            sa.select(issues.c.key)
            .join(notices, pending)
            .where(~sa.func.coalesce(has_any(OPEN), sa.false()))
            .distinct()
        )
        async with self._database.read() as connection:
            keys = list(await connection.scalars(done))
            counts = await state_counts(connection, keys) if keys else {}
        for key in keys:
            delivered = {state.value: number for state, number in counts[key].items()}
            async with self._database.write() as connection:
                await _ripen(connection, key, delivered, now)

    @override
    async def add_posts(self, receivers: Collection[str], issue_key: int, *, now: datetime) -> None:
        rows = [
            {
                "id": new_id(),
                "receiver": receiver,
                "kind": POST,
                "at": now,
                "data": "{}",
                "issue_key": issue_key,
                "state": NoticeState.WAITING,
                "attempts": 0,
                "ready_at": now,
                "reason": "",
            }
            for receiver in receivers
        ]
        async with self._database.write() as connection:
            await connection.execute(insert(connection, notices).values(rows).on_conflict_do_nothing())

    @override
    async def posted(self, issue_key: int) -> frozenset[str]:
        query = sa.select(notices.c.receiver).where(notices.c.issue_key == issue_key, notices.c.kind == POST)
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    @override
    async def ready(self, *, now: datetime) -> frozenset[str]:
        query = sa.select(notices.c.receiver).distinct().where(notices.c.ready_at <= now)
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    @override
    async def claim(self, receiver: str, *, now: datetime) -> Notice | None:
        columns = [notices.c[name] for name in _OF_NOTICE]
        due = sa.and_(notices.c.receiver == receiver, notices.c.ready_at <= now)
        query = sa.select(*columns).where(due).order_by(notices.c.ready_at, notices.c.key).limit(1)

        async def whole(connection: AsyncConnection) -> Notice | None:
            await self._database.alone(connection, _CLAIMING)
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                return None
            values: dict[str, Any] = dict(row)
            was_cut_off = values.pop("state") is NoticeState.SENDING
            notice = Notice(**values | {"attempts": row["attempts"] + 1}, was_cut_off=was_cut_off)
            held = {"state": NoticeState.SENDING, "ready_at": now + LEASE, "attempts": notice.attempts}
            await connection.execute(sa.update(notices).where(notices.c.key == notice.key).values(held))
            return notice

        return await self._database.write_at_once(whole)

    @override
    async def sent(self, notice: Notice, *, now: datetime) -> None:
        await self._settle(notice, {"state": NoticeState.SENT, "ready_at": None, "reason": ""})

    @override
    async def failed(self, notice: Notice, reason: str, *, again_at: datetime | None, now: datetime) -> None:
        state = NoticeState.GIVEN_UP if again_at is None else NoticeState.WAITING
        await self._settle(
            notice, {"state": state, "ready_at": again_at, "reason": one_line(reason)[:_LONGEST_REASON]}
        )

    async def _settle(self, notice: Notice, values: dict[str, Any]) -> None:
        """Write what became of a try, unless another process has taken the notice since."""
        this = sa.and_(
            notices.c.key == notice.key,
            notices.c.state == NoticeState.SENDING,
            notices.c.attempts == notice.attempts,
        )
        async with self._database.write() as connection:
            await connection.execute(sa.update(notices).where(this).values(values))

    @override
    async def counts(self) -> list[NoticeCounts]:
        is_waiting, is_over = notices.c.state.in_(_UNDONE), notices.c.state == NoticeState.GIVEN_UP
        other = notices.alias()
        last = (
            sa.select(other.c.reason)
            .where(other.c.receiver == notices.c.receiver, other.c.reason != "")
            .order_by(other.c.key.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            sa.select(
                notices.c.receiver,
                sa.func.count().filter(is_waiting).label("waiting"),
                sa.func.count().filter(is_over).label("given_up"),
                sa.func.coalesce(last, "").label("reason"),
            )
            .where(sa.or_(is_waiting, is_over))
            .group_by(notices.c.receiver)
            .order_by(notices.c.receiver)
        )
        async with self._database.read() as connection:
            return [NoticeCounts(**row) for row in (await connection.execute(query)).mappings()]

    @override
    async def forget_old(self, *, now: datetime) -> None:
        is_old = notices.c.at <= now - KEPT_FOR
        async with self._database.read() as connection:
            if not await connection.scalar(sa.select(sa.exists().where(is_old))):
                return
        async with self._database.write() as connection:
            await connection.execute(sa.delete(notices).where(is_old))


async def _ripen(connection: AsyncConnection, issue_key: int, delivered: dict[str, int], now: datetime) -> None:
    """Let the notices of a delivered issue go out, with how many deliveries ended in which state."""
    pending = sa.and_(notices.c.issue_key == issue_key, notices.c.state == NoticeState.PENDING)
    for key, data in (await connection.execute(sa.select(notices.c.key, notices.c.data).where(pending))).all():
        told = json.dumps({**json.loads(data), "deliveries": delivered})
        this = sa.and_(notices.c.key == key, pending)
        await connection.execute(
            sa.update(notices).where(this).values(state=NoticeState.WAITING, at=now, ready_at=now, data=told)
        )

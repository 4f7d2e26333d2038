"""What becomes of a ledger that was restored from a backup, in SQL; see `newsletter.core.restoring`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.delivery import DeliveryState
from newsletter.core.notices import NoticeState
from newsletter.core.restoring import ASSUMED, counted_as_sent
from newsletter.ports import SignUps
from newsletter.ports.restored import Restored
from newsletter.store.bulk import among
from newsletter.store.changes import take_steps
from newsletter.store.engine import Database
from newsletter.store.moving_tables import address_changes, leavings
from newsletter.store.notice_tables import notices
from newsletter.store.signup_tables import signups
from newsletter.store.tables import deliveries, ledger, sightings

_PIECE = 1000  # deliveries in a transaction
_UNSETTLED = (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)
_UNDONE = (NoticeState.PENDING, NoticeState.WAITING, NoticeState.SENDING)
_MOST_MAILS = 4  # that one sign-up can lead to


class SqlRestored(Restored):
    """The operator's word, in the ledger's own row; and what follows from it."""

    def __init__(self, database: Database, sign_ups: SignUps) -> None:
        self._database = database
        self._sign_ups = sign_ups

    @override
    async def assumed_until(self) -> datetime | None:
        async with self._database.read() as connection:
            until: datetime | None = await connection.scalar(sa.select(ledger.c.assumed_until))
        return until

    @override
    async def listed_by(self, keys: Collection[int], sources: Sequence[str], day: date) -> frozenset[int]:
        async with self._database.read() as connection:
            query = sa.select(sightings.c.listing_key).where(
                among(connection, sightings.c.listing_key, keys),
                sightings.c.source.in_(sources),
                sightings.c.listed_on <= day,
            )
            return frozenset(await connection.scalars(query.distinct()))

    @override
    async def assume_sent(self, until: datetime, *, now: datetime) -> int:
        count = await self._settle_deliveries(until, now)
        await self._settle_sign_ups(until)
        async with self._database.write() as connection:
            await _settle_letters(connection, until)
            await _settle_notices(connection, until)
            later = sa.func.coalesce(ledger.c.assumed_until, until) > until
            kept = sa.case((later, ledger.c.assumed_until), else_=until)
            await connection.execute(sa.update(ledger).values(assumed_until=kept))
        return count

    async def _settle_deliveries(self, until: datetime, now: datetime) -> int:
        count, after = 0, 0
        columns = (deliveries.c.key, deliveries.c.state, deliveries.c.attempts)
        which = sa.and_(deliveries.c.state.in_(_UNSETTLED), deliveries.c.due_at <= until)
        while True:
            query = sa.select(*columns).where(which, deliveries.c.key > after).order_by(deliveries.c.key)
            async with self._database.write() as connection:
                rows = (await connection.execute(query.limit(_PIECE))).all()
                if not rows:
                    return count
                await take_steps(connection, [change for row in rows for change in counted_as_sent(*row, now)])
            count, after = count + len(rows), rows[-1].key

    async def _settle_sign_ups(self, until: datetime) -> None:
        ready = sa.select(signups.c.key).where(signups.c.ready_at <= until)
        for _ in range(
            _MOST_MAILS
        ):  # a confirmation is followed by a reminder, and that may have been sent as well
            async with self._database.read() as connection:
                keys = list(await connection.scalars(ready))
            for key in keys:
                known = await self._sign_ups.find(key)
                if known is not None and known.next_mail is not None:
                    await self._sign_ups.mail_sent(key, known.next_mail, now=known.ready_at or until)


async def _settle_letters(connection: AsyncConnection, until: datetime) -> None:
    """Let who left, or moved to another address, by then have been told of it."""
    changes = address_changes
    asked = sa.update(changes).where(changes.c.asked_at <= until)
    await connection.execute(sa.update(leavings).where(leavings.c.at <= until).values(is_told=True))
    await connection.execute(asked.where(changes.c.mailed_at.is_(None)).values(mailed_at=until))
    has_moved = changes.c.former_email.is_not(None)
    await connection.execute(asked.where(has_moved).values(told_at=until, former_email=None))


async def _settle_notices(connection: AsyncConnection, until: datetime) -> None:
    """Let nothing be told or posted that may have been by then."""
    which = sa.and_(notices.c.state.in_(_UNDONE), notices.c.at <= until)
    told = {"state": NoticeState.GIVEN_UP, "ready_at": None, "reason": ASSUMED}
    await connection.execute(sa.update(notices).where(which).values(told))

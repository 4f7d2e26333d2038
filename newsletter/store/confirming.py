"""What a reader's own confirmation ends and begins, in SQL, within the caller's transaction."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.barring import ERASED
from newsletter.core.events import EventType, of_reader
from newsletter.core.subscriber import Member, Origin, SubscriberStatus
from newsletter.core.suppression import ends_by_confirmation, whole_domain
from newsletter.core.syncing import Barred
from newsletter.ports import Confirmed
from newsletter.store.barring import barred_among
from newsletter.store.bulk import insert
from newsletter.store.engine import Database
from newsletter.store.erased import end_by_confirmation
from newsletter.store.events import note
from newsletter.store.subscriber_rows import MEMBER_COLUMNS, member_row
from newsletter.store.suppressing import WHO_GETS_MAIL
from newsletter.store.tables import EVERY_LIST, dead_addresses, subscribers, suppressions


async def return_by_confirmation(
    database: Database, connection: AsyncConnection, list_name: str, member: Member, *, now: datetime
) -> Confirmed:
    """Put a person on a list who confirmed that, as `newsletter.ports.Subscribers.return_by_confirmation` says."""
    await database.alone(connection, WHO_GETS_MAIL)
    key = member.address_key
    these = suppressions.c.address_key.in_([key, whole_domain(key)])
    barring = sa.and_(these, suppressions.c.list.in_([list_name, EVERY_LIST]))
    query = sa.select(suppressions.c.address_key, suppressions.c.list, suppressions.c.made_by).where(barring)
    found = (await connection.execute(query)).all()
    if not all(ends_by_confirmation(suppressed, by) for suppressed, _, by in found):
        barred = await barred_among(database, connection, list_name, [key])
        return Confirmed(None, is_news=False, barred=barred[key])
    if (erased_since := await end_by_confirmation(connection, database.hashes, key)) is not None:
        return Confirmed(None, is_news=False, barred=Barred(ERASED, erased_since))
    if any(on == EVERY_LIST for _, on, _ in found):
        await _keep_on_other_lists(connection, list_name, key)
    await connection.execute(sa.delete(suppressions).where(barring))
    await connection.execute(sa.delete(dead_addresses).where(dead_addresses.c.address_key == key))
    done = await _put(connection, list_name, member, now, was_barred=bool(found))
    if done.is_news and done.key is not None:
        event = of_reader(EventType.SUBSCRIBER_CONFIRMED, list_name, done.key, now=now)
        await note(connection, database.listeners, event)
    return done


async def _keep_on_other_lists(connection: AsyncConnection, list_name: str, key: str) -> None:
    """Let what suppresses an address on all lists go on where else it is known: they confirmed one list."""
    elsewhere = sa.and_(subscribers.c.address_key == key, subscribers.c.list != list_name)
    said = [suppressions.c[name] for name in ("reason", "since", "evidence", "made_by")]
    each = (
        sa.select(suppressions.c.address_key, subscribers.c.list, *said)
        .join(subscribers, elsewhere)
        .where(suppressions.c.address_key == key, suppressions.c.list == EVERY_LIST)
    )
    columns = ["address_key", "list", *(column.name for column in said)]
    await connection.execute(insert(connection, suppressions).from_select(columns, each).on_conflict_do_nothing())
    # Those whom files named since the suppression are among them.
    await connection.execute(sa.update(subscribers).where(elsewhere).values(status=SubscriberStatus.UNSUBSCRIBED))


async def _put(
    connection: AsyncConnection, list_name: str, member: Member, now: datetime, *, was_barred: bool
) -> Confirmed:
    """Put a person on a list, or back on it, unless they read it already."""
    wishes = dict(zip(MEMBER_COLUMNS, member_row(member), strict=True))
    begun = wishes | {"status": SubscriberStatus.ACTIVE, "origin": Origin.WEB, "updated_at": now}
    begun |= {"own_wishes_since": None, "paused_until": None}
    put = insert(connection, subscribers).values(list=list_name, created_at=now, **begun)
    reads_not = sa.true() if was_barred else subscribers.c.status != SubscriberStatus.ACTIVE
    again = put.on_conflict_do_update(index_elements=["list", "address_key"], set_=begun, where=reads_not)
    number = await connection.scalar(again.returning(subscribers.c.key))
    if number is not None:
        return Confirmed(number, is_news=True)
    theirs = sa.and_(subscribers.c.list == list_name, subscribers.c.address_key == member.address_key)
    return Confirmed(await connection.scalar(sa.select(subscribers.c.key).where(theirs)), is_news=False)

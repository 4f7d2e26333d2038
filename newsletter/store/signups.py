"""Sign-ups on the web, in SQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.signup import (
    A_SPAN,
    A_WEEK,
    AN_HOUR,
    DECIDED_WITHIN,
    VALID_FOR,
    Ceilings,
    MailsSent,
    SignUp,
    SignUpMail,
    SignUpRequest,
    SignUpState,
    asked_again,
    begun,
    confirmed,
    decided,
    may_be_asked,
    next_to_mail,
    not_asked,
    not_sent,
    room,
    sent,
)
from newsletter.core.suppression import ends_by_confirmation, whole_domain
from newsletter.ports import Funnel, SignUps
from newsletter.store.bulk import among
from newsletter.store.engine import Database
from newsletter.store.signup_counts import count, counting
from newsletter.store.signup_tables import signup_counts, signup_mails, signups
from newsletter.store.tables import EVERY_LIST, subscribers, suppressions
from newsletter.store.together import Row, run_alone, run_together

# The name under which one transaction at a time changes sign-ups (`Database.alone`).
SIGNING_UP = "sign up"

# Clients are told apart by how many addresses they asked for within this.
_LATELY = timedelta(days=1)
# Of those that wait, so many are looked at for one round of mails.
_LOOKED_AT = 100

_ASKING = (SignUpState.ASKED, SignUpState.MAILED)


_OF_ADDRESS = sa.select(signups).where(
    signups.c.list == sa.bindparam("of_list"), signups.c.address_key == sa.bindparam("of_address")
)
_ADD = sa.insert(signups)


class SqlSignUps(SignUps):
    """A row for each list and address, until time is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def ask(self, list_name: str, request: SignUpRequest, *, client: str, now: datetime) -> None:
        same = {"of_list": list_name, "of_address": request.address_key}

        async def keep(connection: AsyncConnection) -> None:
            [found] = await run_alone(connection, SIGNING_UP, (_OF_ADDRESS, same))
            known = _signup(found[0]) if found else None
            changed = asked_again(known, request, now) if known else None
            if changed is not None:
                await _write(connection, changed)
                return
            if known is not None:
                await _forget(connection, known)
            new = SignUp(key=0, list=list_name, request=request, client=client, asked_at=now, ready_at=now)
            values = {"list": list_name, "client": client, **_values(new)}
            await run_together(connection, (_ADD, values), counting(connection, list_name, now, "asked"))

        # Nobody was promised anything before the mail is there, so the disk is not waited for.
        await self._database.write_at_once(keep, durable=False)

    @override
    async def find(self, key: int) -> SignUp | None:
        return await self._database.read_at_once(lambda connection: _one(connection, signups.c.key == key))

    @override
    async def to_decide(self, *, limit: int) -> list[SignUp]:
        query = sa.select(signups).where(signups.c.state == SignUpState.CONFIRMED).order_by(signups.c.key)
        async with self._database.read() as connection:
            return [_signup(row) for row in (await connection.execute(query.limit(limit))).mappings()]

    @override
    async def confirm(self, key: int, *, wants_latest: bool, needs_approval: bool, now: datetime) -> bool:
        async def whole(connection: AsyncConnection) -> bool:
            known = await self._alone_with(connection, key)
            if known is None or not known.may_be_confirmed or known.until <= now:
                return False
            changed = confirmed(known, now, wants_latest=wants_latest, needs_approval=needs_approval)
            await _write(connection, changed)
            if known.mailed_at is None:
                await count(connection, known.list, now, "mailed")
            await count(connection, known.list, now, "confirmed")
            return True

        return await self._database.write_at_once(whole)

    @override
    async def decide(self, key: int, *, accepted: bool, now: datetime) -> bool:
        async def whole(connection: AsyncConnection) -> bool:
            known = await self._alone_with(connection, key)
            if known is None or known.state is not SignUpState.CONFIRMED:
                return False
            await _write(connection, decided(known, now, accepted=accepted))
            return True

        return await self._database.write_at_once(whole)

    @override
    async def has_mails(self, *, now: datetime) -> bool:
        query = sa.select(sa.exists().where(signups.c.ready_at <= now))

        async def any_ready(connection: AsyncConnection) -> bool:
            return bool(await connection.scalar(query))

        return await self._database.read_at_once(any_ready)

    @override
    async def next_mails(self, ceilings: Ceilings, *, most: int, now: datetime) -> Sequence[SignUp]:
        if not await self.has_mails(now=now):
            return []

        async def whole(connection: AsyncConnection) -> Sequence[SignUp]:
            await self._database.alone(connection, SIGNING_UP)
            others = await _others_ready(connection, now, most)
            asking = await _to_ask(connection, ceilings, most - len(others), now)
            for one in (*others, *asking):
                await _write(connection, begun(one, now))
            if asking:
                await connection.execute(
                    sa.insert(signup_mails),
                    [
                        {"signup_key": one.key, "address_key": one.request.address_key} | _mail(one, now)
                        for one in asking
                    ],
                )
            return [*others, *asking]

        return await self._database.write_at_once(whole)

    @override
    async def mail_sent(self, key: int, mail: SignUpMail, *, now: datetime) -> None:
        async def whole(connection: AsyncConnection) -> None:
            known = await self._alone_with(connection, key)
            # The reader may have confirmed an earlier mail meanwhile: then there is nothing more to note.
            if known is None or known.next_mail is not mail:
                return
            await _write(connection, sent(known, mail, now))
            if mail is SignUpMail.CONFIRM and known.mailed_at is None:
                await count(connection, known.list, now, "mailed")

        await self._database.write_at_once(whole)

    @override
    async def mail_not_sent(self, key: int, *, for_good: bool, now: datetime) -> None:
        async def whole(connection: AsyncConnection) -> None:
            known = await self._alone_with(connection, key)
            if known is None or known.ready_at is None:
                return
            changed = not_sent(known, now, for_good=for_good)
            if changed is None:
                await _forget(connection, known)
            else:
                await _write(connection, changed)
            newest = sa.select(sa.func.max(signup_mails.c.key)).where(signup_mails.c.signup_key == key)
            await connection.execute(sa.delete(signup_mails).where(signup_mails.c.key == newest.scalar_subquery()))

        await self._database.write_at_once(whole)

    @override
    async def forget_old(self, *, now: datetime) -> int:
        last = sa.func.coalesce(signups.c.mailed_at, signups.c.asked_at)
        is_over = sa.or_(
            sa.and_(signups.c.confirmed_at.is_(None), last <= now - VALID_FOR),
            signups.c.confirmed_at <= now - DECIDED_WITHIN,
        )
        is_old = signup_mails.c.at <= now - A_WEEK
        async with self._database.read() as connection:
            queries = (sa.select(sa.exists().where(is_over)), sa.select(sa.exists().where(is_old)))
            if not any([await connection.scalar(query) for query in queries]):
                return 0
        async with self._database.write() as connection:
            await self._database.alone(connection, SIGNING_UP)
            forgotten = (await connection.execute(sa.delete(signups).where(is_over))).rowcount
            await connection.execute(sa.delete(signup_mails).where(is_old))
        return int(forgotten)

    @override
    async def funnels(self, *, since: date) -> Mapping[str, Funnel]:
        counts = signup_counts.c
        sums = [sa.func.sum(column) for column in (counts.asked, counts.mailed, counts.confirmed)]
        query = sa.select(counts.list, *sums).where(counts.day >= since).group_by(counts.list)
        async with self._database.read() as connection:
            return {
                name: Funnel(asked=int(asked), mailed=int(mailed), confirmed=int(confirmed))
                for name, asked, mailed, confirmed in await connection.execute(query)
            }

    async def _alone_with(self, connection: AsyncConnection, key: int) -> SignUp | None:
        """Return the sign-up of a number, which nobody else changes before the transaction is over."""
        await self._database.alone(connection, SIGNING_UP)
        return await _one(connection, signups.c.key == key)


async def _to_ask(connection: AsyncConnection, ceilings: Ceilings, most: int, now: datetime) -> list[SignUp]:
    """Return who is asked to confirm now, or reminded; who is not to be asked at all is forgotten."""
    sent_in_all, sent_to = await _mails_sent(connection, now)
    if most <= 0 or not room(ceilings.per_hour, sent_in_all):
        return []
    full = [domain for domain, those in sent_to.items() if not room(ceilings.per_domain, those)]
    crowd = _crowds(now)
    size = sa.func.coalesce(crowd.c.size, 1)
    query = (
        sa.select(signups, size.label("crowd"))
        .outerjoin(crowd, crowd.c.client == signups.c.client)
        .where(signups.c.ready_at <= now, signups.c.state.in_(_ASKING), signups.c.domain.not_in(full))
        .order_by(signups.c.state == SignUpState.MAILED, size, signups.c.asked_at, signups.c.key)
        .limit(_LOOKED_AT)
    )
    rows = (await connection.execute(query)).mappings().all()
    askable = await _askable(connection, [_signup(row) for row in rows], ceilings, now)
    crowds = {row["client"]: row["crowd"] for row in rows}
    return next_to_mail(askable, crowds, sent_in_all, sent_to, ceilings)[:most]


async def _askable(
    connection: AsyncConnection, waiting: Sequence[SignUp], ceilings: Ceilings, now: datetime
) -> list[SignUp]:
    """Return which of those that wait may be asked, and settle the others."""
    keys = {one.request.address_key for one in waiting}
    statuses = {
        (list_name, key): status
        for list_name, key, status in await connection.execute(
            sa.select(subscribers.c.list, subscribers.c.address_key, subscribers.c.status).where(
                among(connection, subscribers.c.address_key, keys)
            )
        )
    }
    barred = await _barred(connection, keys)
    mails = await connection.execute(
        sa.select(signup_mails.c.address_key, sa.func.count())
        .where(among(connection, signup_mails.c.address_key, keys), signup_mails.c.at > now - A_WEEK)
        .group_by(signup_mails.c.address_key)
    )
    asked = dict(map(tuple, mails))
    askable = []
    for one in waiting:
        key = one.request.address_key
        is_barred = not barred.isdisjoint({(one.list, key), (EVERY_LIST, key)})
        if not may_be_asked(statuses.get((one.list, key)), is_barred=is_barred):
            await _forget(connection, one)
        elif asked.get(key, 0) < ceilings.per_address:
            askable.append(one)
            asked[key] = asked.get(key, 0) + 1  # on another list
        elif (settled := not_asked(one)) is not None:
            await _write(connection, settled)
        else:
            await _forget(connection, one)
    return askable


async def _barred(connection: AsyncConnection, keys: Collection[str]) -> set[tuple[str, str]]:
    """Return which addresses no confirmation of their owners brings back, each with the list or `EVERY_LIST`."""
    by_domain: dict[str, list[str]] = {}
    for key in keys:
        by_domain.setdefault(whole_domain(key), []).append(key)
    query = sa.select(suppressions.c.address_key, suppressions.c.list, suppressions.c.made_by).where(
        among(connection, suppressions.c.address_key, {*keys, *by_domain})
    )
    return {
        (list_name, key)
        for address, list_name, made_by in await connection.execute(query)
        if not ends_by_confirmation(address, made_by)
        for key in by_domain.get(address, [address])
    }


async def _mails_sent(connection: AsyncConnection, now: datetime) -> tuple[MailsSent, dict[str, MailsSent]]:
    """Return how many mails asked for confirmation lately: in all, and by domain."""
    lately = sa.case((signup_mails.c.at > now - A_SPAN, 1), else_=0)
    query = (
        sa.select(signup_mails.c.domain, sa.func.count(), sa.func.sum(lately))
        .where(signup_mails.c.at > now - AN_HOUR)
        .group_by(signup_mails.c.domain)
    )
    by_domain = {name: MailsSent(int(hour), int(span)) for name, hour, span in await connection.execute(query)}
    in_all = MailsSent(
        sum(one.in_an_hour for one in by_domain.values()), sum(one.in_a_span for one in by_domain.values())
    )
    return in_all, by_domain


def _crowds(now: datetime) -> sa.CTE:
    """Return how many addresses each known client asked for lately."""
    return (
        sa.select(signups.c.client, sa.func.count().label("size"))
        .where(signups.c.asked_at > now - _LATELY, signups.c.client != "")
        .group_by(signups.c.client)
        .cte("crowds")
    )


async def _others_ready(connection: AsyncConnection, now: datetime, limit: int) -> list[SignUp]:
    """Return sign-ups whose next mail is due and asks no stranger to confirm."""
    which = sa.and_(signups.c.ready_at <= now, signups.c.state.not_in(_ASKING))
    found = await connection.execute(sa.select(signups).where(which).order_by(signups.c.key).limit(limit))
    return [_signup(row) for row in found.mappings()]


async def _one(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> SignUp | None:
    row = (await connection.execute(sa.select(signups).where(which))).mappings().first()
    return None if row is None else _signup(row)


async def _write(connection: AsyncConnection, signup: SignUp) -> None:
    await connection.execute(sa.update(signups).where(signups.c.key == signup.key).values(**_values(signup)))


async def _forget(connection: AsyncConnection, signup: SignUp) -> None:
    await connection.execute(sa.delete(signups).where(signups.c.key == signup.key))


def _mail(one: SignUp, now: datetime) -> dict[str, Any]:
    return {"domain": one.request.domain, "at": now}


def _signup(row: Row | sa.RowMapping) -> SignUp:
    return SignUp(
        key=row["key"],
        list=row["list"],
        request=SignUpRequest(
            email=row["email"], name=row["name"], topics=tuple(json.loads(row["topics"])), cadence=row["cadence"]
        ),
        client=row["client"],
        state=row["state"],
        asked_at=row["asked_at"],
        mailed_at=row["mailed_at"],
        reminded_at=row["reminded_at"],
        confirmed_at=row["confirmed_at"],
        wants_latest=row["wants_latest"],
        ready_at=row["ready_at"],
        attempts=row["attempts"],
    )


def _values(signup: SignUp) -> dict[str, Any]:
    """Return the columns that may change."""
    request = signup.request
    return {
        "address_key": request.address_key,
        "domain": request.domain,
        "email": request.email,
        "name": request.name,
        "topics": json.dumps(request.topics, ensure_ascii=False),
        "cadence": request.cadence,
        "state": signup.state,
        "asked_at": signup.asked_at,
        "mailed_at": signup.mailed_at,
        "reminded_at": signup.reminded_at,
        "confirmed_at": signup.confirmed_at,
        "wants_latest": signup.wants_latest,
        "ready_at": signup.ready_at,
        "attempts": signup.attempts,
    }

"""What models wrote of papers, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.machine_summary import Recipe
from newsletter.ports import MachineText, MachineTexts, ModelUsage, Reserved
from newsletter.store.bulk import among, insert
from newsletter.store.engine import Database
from newsletter.store.feedback import RECORDING
from newsletter.store.machine_text_tables import machine_texts, model_usage
from newsletter.store.tables import merged_listings

_KEY = tuple(machine_texts.primary_key.columns)
_OF_RECIPE = ("kind", "language", "prompt", "model")
_COUNTS = ("requests", "refused", "tokens_in", "tokens_out")
_NOTHING = {"text": "", "refusal": "", "tokens_in": 0, "tokens_out": 0}


class SqlMachineTexts(MachineTexts):
    """A row for each text, from the moment on when somebody asks for it; and one for each day and model.

    Whoever writes here waits until no listings are recorded: else one might be merged meanwhile. So these
    transactions come one after the other, and no two count the same requests as left.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def known(self, papers: Collection[int], recipe: Recipe) -> Mapping[int, MachineText]:
        if not papers:
            return {}
        async with self._database.read() as connection:
            current = await _current(connection, papers)
            query = sa.select(machine_texts).where(
                among(connection, machine_texts.c.listing_key, set(current.values())),
                *_by(recipe),
                machine_texts.c.made_at.is_not(None),
            )
            made = {
                row.listing_key: MachineText(text=row.text, refusal=row.refusal)
                for row in await connection.execute(query)
            }
        return {paper: made[key] for paper, key in current.items() if key in made}

    @override
    async def reserve(
        self, papers: Sequence[int], recipe: Recipe, *, most_a_day: int, now: datetime, until: datetime
    ) -> Reserved:
        async def whole(connection: AsyncConnection) -> Reserved:
            await self._database.alone(connection, RECORDING)
            current = await _current(connection, papers)
            held = sa.or_(machine_texts.c.made_at.is_not(None), machine_texts.c.reserved_until > now)
            taken = set(
                await connection.scalars(
                    sa.select(machine_texts.c.listing_key).where(
                        among(connection, machine_texts.c.listing_key, set(current.values())), *_by(recipe), held
                    )
                )
            )
            free: dict[int, int] = {}
            for paper, key in current.items():
                if key not in taken:
                    free.setdefault(key, paper)
            room = max(most_a_day - await _requests(connection, now), 0)
            got = dict(islice(free.items(), room))
            if got:
                await _reserve(connection, got, recipe, until)
                await _count(connection, recipe.model, now, requests=len(got))
            return Reserved(papers=list(got.values()), is_spent=len(got) < len(free))

        if not papers:
            return Reserved(papers=())
        return await self._database.write_at_once(whole, durable=False)

    @override
    async def keep(
        self, paper: int, recipe: Recipe, text: MachineText, *, tokens_in: int, tokens_out: int, now: datetime
    ) -> None:
        tokens = {"tokens_in": tokens_in, "tokens_out": tokens_out}
        made = {"text": text.text, "refusal": text.refusal, **tokens, "reserved_until": None, "made_at": now}

        async def whole(connection: AsyncConnection) -> None:
            await self._database.alone(connection, RECORDING)
            [key] = (await _current(connection, [paper])).values()
            row = insert(connection, machine_texts).values(listing_key=key, **_values(recipe), **made)
            await connection.execute(row.on_conflict_do_update(index_elements=_KEY, set_=made))
            await _count(connection, recipe.model, now, refused=int(bool(text.refusal)), **tokens)

        await self._database.write_at_once(whole)

    @override
    async def give_back(self, papers: Collection[int], recipe: Recipe, *, unasked: int, now: datetime) -> None:
        async def whole(connection: AsyncConnection) -> None:
            await self._database.alone(connection, RECORDING)
            keys = set((await _current(connection, papers)).values())
            these = among(connection, machine_texts.c.listing_key, keys)
            await connection.execute(
                sa.delete(machine_texts).where(these, *_by(recipe), machine_texts.c.made_at.is_(None))
            )
            if unasked:
                await _count(connection, recipe.model, now, requests=-unasked)

        if papers:
            await self._database.write_at_once(whole, durable=False)

    @override
    async def usage(self, *, since: datetime) -> Mapping[str, ModelUsage]:
        sums = (sa.func.coalesce(sa.func.sum(model_usage.c[name]), 0).label(name) for name in _COUNTS)
        query = (
            sa.select(model_usage.c.model, *sums)
            .where(model_usage.c.day >= since.astimezone(UTC).date())
            .group_by(model_usage.c.model)
            .order_by(model_usage.c.model)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.model: ModelUsage(**{name: int(getattr(row, name)) for name in _COUNTS}) for row in rows}


async def move_texts(connection: AsyncConnection, was: int, now: int) -> None:
    """Let texts follow when a listing becomes part of another; where both have one, the later one stays."""
    query = sa.select(machine_texts).where(machine_texts.c.listing_key.in_([was, now]))
    rows: Iterable[Any] = (await connection.execute(query)).all()
    of_recipe = attrgetter(*_OF_RECIPE)
    for _, group in groupby(sorted(rows, key=of_recipe), key=of_recipe):
        for row in sorted(group, key=_later)[:-1]:
            same = (column == getattr(row, column.name) for column in _KEY)
            await connection.execute(sa.delete(machine_texts).where(*same))
    of_former = machine_texts.c.listing_key == was
    await connection.execute(sa.update(machine_texts).where(of_former).values(listing_key=now))


def _later(row: Any) -> tuple[bool, datetime, int]:
    """Return what is greater the later a row was made; what is only asked for stands before all that is made."""
    return row.made_at is not None, row.made_at or row.reserved_until, row.listing_key


async def _current(connection: AsyncConnection, papers: Collection[int]) -> dict[int, int]:
    """Return the numbers that listings have now, in the order of those given."""
    former = among(connection, merged_listings.c.former_key, set(papers))
    merged = await connection.execute(sa.select(merged_listings).where(former))
    now = {row.former_key: row.listing_key for row in merged}
    return {paper: now.get(paper, paper) for paper in papers}


async def _requests(connection: AsyncConnection, now: datetime) -> int:
    """Return how many requests were made on the day (UTC) of a moment."""
    query = sa.select(sa.func.sum(model_usage.c.requests)).where(model_usage.c.day == now.astimezone(UTC).date())
    return int(await connection.scalar(query) or 0)


async def _reserve(connection: AsyncConnection, keys: Iterable[int], recipe: Recipe, until: datetime) -> None:
    rows = [
        {"listing_key": key, **_values(recipe), **_NOTHING, "reserved_until": until, "made_at": None}
        for key in sorted(keys)
    ]
    statement = insert(connection, machine_texts)
    again = {"reserved_until": statement.excluded.reserved_until}
    await connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=again), rows)


async def _count(connection: AsyncConnection, model: str, now: datetime, **more: int) -> None:
    """Add to what was asked of a model on the day (UTC) of a moment; no count falls below zero."""
    first = {name: max(more.get(name, 0), 0) for name in _COUNTS}
    row = insert(connection, model_usage).values(day=now.astimezone(UTC).date(), model=model, **first)
    sums = {name: model_usage.c[name] + number for name, number in more.items()}
    added = {name: sa.case((total < 0, 0), else_=total) for name, total in sums.items()}
    await connection.execute(row.on_conflict_do_update(index_elements=["day", "model"], set_=added))


def _values(recipe: Recipe) -> dict[str, str]:
    return {name: getattr(recipe, name) for name in _OF_RECIPE}


def _by(recipe: Recipe) -> Iterable[sa.ColumnElement[bool]]:
    return tuple(machine_texts.c[name] == value for name, value in _values(recipe).items())

"""A ledger with many deliveries, written by the databases themselves: thousands in a moment."""

# ruff: noqa: S608 - the statements are made of our own words and numbers

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.store import open_store
from newsletter.store.column_types import moment_text
from newsletter.store.engine import Database
from tests.store.samples import DAY, HOUR, LIST, NOW, at, draft, due

DAYS = timedelta(days=1)

# Of a thousand deliveries of an issue that went out, these did not arrive.
_GONE_OUT = (
    "CASE subscribers.key % 1000 WHEN 1 THEN 'deferred' WHEN 2 THEN 'refused' WHEN 3 THEN 'withdrawn' "
    "WHEN 4 THEN 'uncertain' ELSE 'sent' END"
)


async def fill(url: str, *, readers: int, issues: int) -> list[int]:
    """Write issues of one list to so many readers each, and return their keys; that of the last day is queued."""
    keys = await _closed(url, issues)
    async with at(url) as database:
        await _add_readers(database, readers)
        for key in keys:
            await _add_deliveries(database, key, is_newest=key == keys[-1])
        await _add_dead(database, keys[-1], NOW + issues * DAYS - HOUR)
        if database.is_postgresql:
            async with database.write() as connection:
                await connection.execute(sa.text("ANALYZE"))
    return keys


async def _closed(url: str, count: int) -> list[int]:
    store = await open_store(url)
    keys = []
    for number in range(count):
        made = draft(day=DAY + number * DAYS, number=number + 1)
        issue, _ = await store.issues.freeze(made, "Papers", due(), now=NOW + number * DAYS)
        keys.append(issue.key)
    await store.close()
    return keys


async def _add_readers(database: Database, count: int) -> None:
    numbers = (
        f"generate_series(1, {count}) AS number"
        if database.is_postgresql
        else f"(WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers "
        f"WHERE number < {count}) SELECT number FROM numbers)"
    )
    address, moment = "'reader' || number || '@d' || (number % 10) || '.example.org'", _moment(database)
    await _run(
        database,
        "INSERT INTO subscribers (list, address_key, email, name, topics, interest, status, origin, created_at, "
        f"updated_at) SELECT '{LIST}', {address}, {address}, '', '[]', '', 'active', 'file', {moment}, {moment} "
        f"FROM {numbers}",
    )
    await _run(
        database,
        "INSERT INTO suppressions (address_key, list, reason, since) "
        f"SELECT 'former' || number || '@example.org', '*', 'left', {moment} FROM {numbers}",
    )


async def _add_deliveries(database: Database, issue_key: int, *, is_newest: bool) -> None:
    moment = _moment(database)
    state = "'queued'" if is_newest else _GONE_OUT
    ready = moment if is_newest else f"CASE subscribers.key % 1000 WHEN 1 THEN {moment} END"
    await _run(
        database,
        "INSERT INTO deliveries (issue_key, subscriber_key, email, name, choice, state, due_at, ready_at, "
        f"attempts, relay, text, reason, updated_at) SELECT {issue_key}, key, email, name, 1, {state}, {moment}, "
        f"{ready}, 1, 'relay:25', '2.0.0 Ok', '', {moment} FROM subscribers ORDER BY key",
    )
    count = "(SELECT COUNT(*) FROM subscribers)"
    await _run(database, f"UPDATE issues SET delivery_count = {count} WHERE key = {issue_key}")
    await _run(
        database,
        "INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, text, reason) "
        f"SELECT key, updated_at, state, 1, relay, text, reason FROM deliveries WHERE issue_key = {issue_key}",
    )
    columns = "issue_key, number, chosen, subject"
    await _run(database, f"INSERT INTO choices ({columns}) VALUES ({issue_key}, 1, '[[],[]]', '')")


async def _add_dead(database: Database, issue_key: int, since: datetime) -> None:
    """Let an issue have met addresses that are called dead; half of them are held."""
    is_held = "subscribers.key % 2000 = 1" if database.is_postgresql else "CAST(subscribers.key % 2000 = 1 AS INT)"
    await _run(
        database,
        "INSERT INTO dead_addresses (address_key, domain, issue_key, since, reason, held) SELECT address_key, "
        f"'d1.example.org', {issue_key}, {_moment(database, since)}, '550', {is_held} "
        "FROM subscribers WHERE key % 1000 = 1",
    )


def _moment(database: Database, moment: datetime = NOW) -> str:
    text = moment_text(moment)
    return f"'{text}'::timestamptz" if database.is_postgresql else f"'{text}'"


async def _run(database: Database, statement: str) -> None:
    async with database.write() as connection:
        await connection.execute(sa.text(statement.replace(":", r"\:")))

"""The statements that compare a list's subscribers with the members of its files, and apply what differs.

They work on temporary tables of their connection: `staged` holds the members, `differing` the addresses of those
who are to be added, changed or brought back, or who keep own wishes that differ, and `gone` the keys of the
subscribers whom the files name no longer.
"""

from __future__ import annotations

import re

from newsletter.core.subscriber import Member
from newsletter.store.statements import Statement
from newsletter.store.subscriber_rows import MEMBER_COLUMNS

_STAGED = ", ".join(f"staged.{name}" for name in MEMBER_COLUMNS)
# Where an empty text stays one; in other columns it is NULL.
_TEXTS = "address_key, email, name, topics, follows, interest, examples"


def _both(sql: str) -> Statement:
    """Return a statement that both engines write alike, but for parameters: `:name`."""
    return Statement(sqlite=sql, postgresql=re.sub(r":([a-z]+)", r"%(\1)s", sql))


TABLES = (
    *(_both(f"DROP TABLE IF EXISTS {name}") for name in ("staged", "differing", "gone")),
    Statement(
        sqlite=f"CREATE TEMP TABLE staged ({', '.join(f'{name} TEXT' for name in MEMBER_COLUMNS)})",
        postgresql=f"""CREATE TEMP TABLE staged (
            address_key text COLLATE "C", {", ".join(f"{name} text" for name in Member._fields)}
        )""",
    ),
    Statement(
        sqlite="CREATE TEMP TABLE differing (address_key TEXT, kind TEXT)",
        postgresql='CREATE TEMP TABLE differing (address_key text COLLATE "C", kind text)',
    ),
    _both("CREATE TEMP TABLE gone (key bigint PRIMARY KEY)"),
)
PUT = Statement(
    sqlite=f"INSERT INTO staged VALUES ({', '.join('?' for _ in MEMBER_COLUMNS)})",  # noqa: S608 (own names)
    postgresql=f"COPY staged FROM STDIN WITH (FORMAT csv, FORCE_NOT_NULL ({_TEXTS}))",
)
FILLED = (
    Statement(
        sqlite="CREATE INDEX temp.staged_address ON staged (address_key)",
        postgresql="CREATE INDEX ON staged (address_key)",
    ),
    Statement(sqlite="SELECT 1", postgresql="ANALYZE staged"),
)

_OLD = ", ".join(f"subscribers.{name}" for name in Member._fields)
_NEW = ", ".join(f"staged.{name}" for name in Member._fields)
# Who has left keeps the wishes of that day: when they come back, their list is synced anew.
_DIFFERING = """
    INSERT INTO differing
    SELECT staged.address_key,
        CASE WHEN subscribers.key IS NULL THEN 'add' WHEN subscribers.status = 'removed' THEN 'reactivate'
            WHEN subscribers.own_wishes_since IS NULL THEN 'change' ELSE 'keeps own wishes' END
    FROM staged LEFT JOIN subscribers
        ON subscribers.list = {list} AND subscribers.address_key = staged.address_key
    WHERE subscribers.key IS NULL
        OR (subscribers.origin = 'file' AND subscribers.status = 'removed')
        OR (subscribers.origin = 'file' AND subscribers.status = 'active' AND ({old}) {differ} ({new}))
    ORDER BY staged.address_key
"""
COMPARE = (
    _both("DELETE FROM differing"),
    _both("DELETE FROM gone"),
    Statement(
        sqlite=_DIFFERING.format(list=":list", old=_OLD, new=_NEW, differ="IS NOT"),
        postgresql=_DIFFERING.format(list="%(list)s", old=_OLD, new=_NEW, differ="IS DISTINCT FROM"),
    ),
    _both(
        """
        INSERT INTO gone
        SELECT key FROM subscribers
        WHERE list = :list AND origin = 'file' AND status = 'active'
            AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.address_key = subscribers.address_key)
        """
    ),
)
_CHANGES_EDITION = """
    SELECT EXISTS (
        SELECT 1 FROM differing JOIN staged ON staged.address_key = differing.address_key
            JOIN subscribers ON subscribers.list = {list} AND subscribers.address_key = staged.address_key
        WHERE differing.kind = 'change' AND subscribers.cadence {differ} staged.cadence
    )
"""
COUNT = _both(
    """
    SELECT (SELECT count(*) FROM staged),
        (SELECT count(*) FROM differing WHERE kind = 'add'),
        (SELECT count(*) FROM differing WHERE kind = 'change'),
        (SELECT count(*) FROM differing WHERE kind = 'reactivate'),
        (SELECT count(*) FROM differing WHERE kind = 'keeps own wishes'),
        (SELECT count(*) FROM gone),
        CASE WHEN EXISTS (SELECT 1 FROM gone) THEN
            (SELECT count(*) FROM subscribers WHERE list = :list AND origin = 'file' AND status = 'active')
        ELSE 0 END
    """
)

CHANGES_EDITION = Statement(
    sqlite=_CHANGES_EDITION.format(list=":list", differ="IS NOT"),
    postgresql=_CHANGES_EDITION.format(list="%(list)s", differ="IS DISTINCT FROM"),
)

# Who came by another way, or chose for themselves, perhaps just now, stays as they are. Who has unsubscribed stays
# so.
_PUT_DIFFERING = """
    INSERT INTO subscribers (list, {columns}, status, origin, created_at, updated_at)
    SELECT {list}, {staged}, 'active', 'file', {now}, {now}
    FROM differing {join} staged ON staged.address_key = differing.address_key
    WHERE differing.kind {of_kind}
    {ordered}
    ON CONFLICT (list, address_key) DO UPDATE SET {changes}, updated_at = excluded.updated_at,
        status = CASE subscribers.status WHEN 'unsubscribed' THEN 'unsubscribed' ELSE excluded.status END
    WHERE subscribers.origin = excluded.origin
"""
_CHANGES = ", ".join(
    f"{name} = CASE WHEN subscribers.own_wishes_since IS NULL THEN excluded.{name} ELSE subscribers.{name} END"
    for name in Member._fields
)
_REMOVE = """
    UPDATE subscribers SET status = 'removed', updated_at = {now}
    WHERE key IN (SELECT key FROM gone) AND origin = 'file' AND status = 'active'
"""
# In the order of addresses: `differing` is in it, so SQLite, to which CROSS JOIN says what to begin with, need not
# sort. In PostgreSQL two syncs at once would else wait for each other.
_SQLITE = {"list": ":list", "now": ":now", "join": "CROSS JOIN", "ordered": ""}
_POSTGRESQL = {
    "list": "%(list)s",
    "now": "%(now)s::timestamptz",
    "join": "JOIN",
    "ordered": "ORDER BY staged.address_key",
}
_COLUMNS = {"columns": ", ".join(MEMBER_COLUMNS), "staged": _STAGED, "changes": _CHANGES}


def _each(sql: str, **values: str) -> Statement:
    return Statement(
        sqlite=sql.format(**_SQLITE, **_COLUMNS, **values),
        postgresql=sql.format(**_POSTGRESQL, **_COLUMNS, **values),
    )


ADD = _each(_PUT_DIFFERING, of_kind="= 'add'")
CHANGE = (_each(_PUT_DIFFERING, of_kind="IN ('change', 'reactivate')"), _each(_REMOVE))

# Those who were just removed, by their keys.
REMOVED = _both(
    """
    SELECT gone.key FROM gone JOIN subscribers ON subscribers.key = gone.key
    WHERE gone.key > :last AND subscribers.status = 'removed' ORDER BY gone.key LIMIT :limit
    """
)

"""The index of the search over all papers: FTS5 in SQLite, `tsvector` in PostgreSQL.

Both hold the words of `core.full_text`, so that both find the same. It can be made again from the listings at any
time. Its table is no part of the metadata: SQLAlchemy knows no virtual tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.full_text import Query, SearchText, Term, search_text
from newsletter.core.listing import Listing
from newsletter.store.bulk import is_sqlite

_HAS_TABLE = sa.text("SELECT count(*) FROM sqlite_master WHERE name = 'listing_search'")
_WRITE_FTS5 = sa.text(
    "INSERT OR REPLACE INTO listing_search (rowid, title, names, words) VALUES (:key, :title, :names, :words)"
)
_WRITE_TSVECTOR = sa.text(
    "INSERT INTO listing_search (listing_key, document) VALUES (:key, CAST(:document AS tsvector)) "
    "ON CONFLICT (listing_key) DO UPDATE SET document = excluded.document"
)

# PostgreSQL: words far into a text all have the last position that it knows, and the letters are weights.
_LAST_POSITION = 16_383
_WEIGHTS = ("A", "B", "D")

_AT_ONCE = 500  # listings


def fill_index(connection: Connection) -> None:
    """Write all listings into an empty index, some at a time; the caller's transaction is one."""
    reader, last = TypeAdapter(Listing), 0
    some = sa.text("SELECT key, record FROM listings WHERE key > :last ORDER BY key LIMIT :count")
    is_postgresql = connection.dialect.name == "postgresql"
    while found := connection.execute(some, {"last": last, "count": _AT_ONCE}).all():
        read = {key: reader.validate_json(record) for key, record in found}
        connection.execute(*rows_of(read, is_postgresql=is_postgresql))
        last = found[-1][0]


async def has_index(connection: AsyncConnection) -> bool:
    """Return whether there is an index."""
    return not is_sqlite(connection) or bool(await connection.scalar(_HAS_TABLE))


async def add_to_index(connection: AsyncConnection, changed: Mapping[int, Listing]) -> None:
    """Write listings that are new or have changed, by key, within the transaction that writes them."""
    if changed and await has_index(connection):
        await connection.execute(*rows_of(changed, is_postgresql=not is_sqlite(connection)))


async def drop_from_index(connection: AsyncConnection, key: int) -> None:
    """Take out a listing that is merged into another; PostgreSQL does so by itself."""
    if is_sqlite(connection) and await has_index(connection):
        await connection.execute(sa.text("DELETE FROM listing_search WHERE rowid = :key"), {"key": key})


def rows_of(
    changed: Mapping[int, Listing], *, is_postgresql: bool
) -> tuple[sa.TextClause, list[dict[str, object]]]:
    """Return the statement that writes listings, by key, into the index, with its parameters."""
    texts = {key: search_text(listing) for key, listing in changed.items()}
    if is_postgresql:
        return _WRITE_TSVECTOR, [{"key": key, "document": _document(text)} for key, text in texts.items()]
    rows: list[dict[str, object]] = [
        {"key": key, **{name: " ".join(words) for name, words in text._asdict().items()}}
        for key, text in texts.items()
    ]
    return _WRITE_FTS5, rows


def _document(text: SearchText) -> str:
    """Return a `tsvector` as PostgreSQL reads it. Words are letters and digits, so nothing is to be escaped."""
    places: dict[str, list[str]] = {}
    position = 0
    for weight, words in zip(_WEIGHTS, text, strict=True):
        for word in words:
            position = min(position + 1, _LAST_POSITION)
            places.setdefault(word, []).append(f"{position}{weight}")
        position += 1  # no phrase goes from one part to the next
    return " ".join(f"'{word}':{','.join(where)}" for word, where in places.items())


def fts5_query(query: Query) -> str:
    """Return a query as FTS5 reads it; it has a term."""
    return " AND ".join(f"({' OR '.join(map(_fts5_term, terms))})" for terms in query.terms)


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.is_open else ""}'


def tsquery(query: Query) -> str:
    """Return a query as PostgreSQL reads it; it has a term."""
    return " & ".join(f"({' | '.join(map(_tsquery_term, terms))})" for terms in query.terms)


def _tsquery_term(term: Term) -> str:
    return f"({' <-> '.join(_lexemes(term))})"


def _lexemes(term: Term) -> Iterable[str]:
    *first, last = term.words
    yield from (f"'{word}'" for word in first)
    yield f"'{last}'{':*' if term.is_open else ''}"

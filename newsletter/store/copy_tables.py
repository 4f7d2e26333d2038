"""The tables that say of a database that its ledger is copied into another, or was; and the statements on them.

They belong to one database: a copy of the ledger doesn't take them over.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from newsletter.core.ledger_copies import CopyMark, Side
from newsletter.store.column_types import Exact, Moment, one_of
from newsletter.store.tables import metadata

# A key of `Table.info`: whether its rows say something of this database alone.
OF_ONE_DATABASE = "of_one_database"

# At most one row.
ledger_copies = sa.Table(
    "ledger_copies",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("side", one_of(Side), nullable=False),
    sa.Column("other", sa.Text, nullable=False),  # the name of the other database, without a password
    sa.Column("revision", sa.Text, nullable=False),
    sa.Column("is_done", sa.Boolean, nullable=False),
    sa.Column("begun_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    info={OF_ONE_DATABASE: True},
)

# In a target: how far each table has come that is begun.
copied_tables = sa.Table(
    "copied_tables",
    metadata,
    sa.Column("name", Exact, primary_key=True),
    sa.Column("last_key", sa.Text, nullable=False),  # a JSON array
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # of these rows (`newsletter.store.copies.digests`)
    sa.Column("is_checked", sa.Boolean, nullable=False),  # whether the whole table was read back and is the same
    info={OF_ONE_DATABASE: True},
)

SELECT_MARK = sa.select(ledger_copies)


def mark_of(row: sa.Row[Any] | None) -> CopyMark | None:
    """Return the mark that a row of `SELECT_MARK` is."""
    if row is None:
        return None
    return CopyMark(token=row.token, side=row.side, other=row.other, revision=row.revision, is_done=row.is_done)

"""The tables of workers; see `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.store.column_types import Exact, Moment
from newsletter.store.copy_tables import OF_ONE_DATABASE
from newsletter.store.tables import metadata

# Processes at work. Who is taken for dead loses the row, and cannot get it back. Moments are the database's own.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", Exact, primary_key=True),  # never borne twice
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),  # of the program
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),  # has no index: it changes all the time
    # When the server began of which a session holds the worker's lock; NULL: none holds it.
    sa.Column("server_started_at", Moment),
    sa.Column("concurrency", sa.Integer, nullable=False),  # how many chunks it delivers at once; 0: it takes none
    sa.Column("queues", sa.Text, nullable=False),  # whose jobs it takes, with commas between
    sa.Column("busy", sa.Integer, nullable=False),  # how many chunks it delivers now
    info={OF_ONE_DATABASE: True},
)

# What workers have done and the rows of deliveries don't say yet; see `newsletter.store.worker_notes`.
worker_notes = sa.Table(
    "worker_notes",
    metadata,
    sa.Column("worker", Exact, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # counts a worker's notes
    sa.Column("changes", sa.Text, nullable=False),
)

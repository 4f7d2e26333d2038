"""The tables of what models wrote of papers, and of what that used, beside those of `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.core.machine_summary import MachineTextKind
from newsletter.store.column_types import Exact, Moment, one_of
from newsletter.store.tables import metadata

# A text of a paper, made by a recipe, or why what a model wrote is not used; or that somebody asks for it now.
machine_texts = sa.Table(
    "machine_texts",
    metadata,
    sa.Column("listing_key", sa.BigInteger, sa.ForeignKey("listings.key"), primary_key=True),
    sa.Column("kind", one_of(MachineTextKind), primary_key=True),
    sa.Column("language", Exact, primary_key=True),
    sa.Column("prompt", Exact, primary_key=True),
    sa.Column("model", Exact, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("refusal", sa.Text, nullable=False),
    sa.Column("tokens_in", sa.BigInteger, nullable=False),
    sa.Column("tokens_out", sa.BigInteger, nullable=False),
    sa.Column("reserved_until", Moment),  # until when nobody else asks; NULL: it is made
    sa.Column("made_at", Moment),  # NULL: it is asked for
)

# What was asked of a model on a day (UTC).
model_usage = sa.Table(
    "model_usage",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("model", Exact, primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("tokens_in", sa.BigInteger, nullable=False),
    sa.Column("tokens_out", sa.BigInteger, nullable=False),
)

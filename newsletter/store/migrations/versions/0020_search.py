"""The index of the search over all papers, with all listings that are there."""

from __future__ import annotations

from alembic import op

from newsletter.store.search_index import make_index

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    make_index(op.get_bind())

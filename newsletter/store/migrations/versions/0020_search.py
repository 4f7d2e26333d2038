"""The index of the search over all papers, with all listings that are there.

An SQLite without FTS5 gets none; then the search is off.
"""

from __future__ import annotations

from alembic import op

from newsletter.store.search_index import fill_index

revision = "0020"
down_revision = "0019"

_HAS_FTS5 = "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'"
_FTS5 = """
    CREATE VIRTUAL TABLE listing_search
    USING fts5 (title, names, words, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3')
"""
_TSVECTOR = """
    CREATE TABLE listing_search (
        listing_key BIGINT PRIMARY KEY REFERENCES listings (key) ON DELETE CASCADE, document TSVECTOR NOT NULL
    )
"""
_TSVECTOR_INDEX = "CREATE INDEX ix_listing_search_document ON listing_search USING gin (document)"


def upgrade() -> None:
    connection = op.get_bind()
    is_postgresql = connection.dialect.name == "postgresql"
    if not is_postgresql and not connection.exec_driver_sql(_HAS_FTS5).scalar():
        return
    for statement in (_TSVECTOR, _TSVECTOR_INDEX) if is_postgresql else (_FTS5,):
        connection.exec_driver_sql(statement)
    fill_index(connection)

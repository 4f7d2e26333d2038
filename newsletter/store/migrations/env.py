"""Runs migrations on the connection that `newsletter.store.migrate` hands over, within its transaction."""

from __future__ import annotations

from alembic import context

from newsletter.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by rebuilding it; so one script serves both engines
)
with context.begin_transaction():
    context.run_migrations()

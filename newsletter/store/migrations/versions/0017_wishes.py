"""What readers choose by themselves: days, a pause, a language; and since when their wishes are their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_KEY = sa.BigInteger()
_HAS_LANGUAGE = sa.text("language IS NOT NULL")


def upgrade() -> None:
    for name in ("days", "language", "paused_until"):
        op.add_column("subscribers", sa.Column(name, sa.Text))
    op.add_column("subscribers", sa.Column("own_wishes_since", _MOMENT))
    op.add_column("issues", sa.Column("was_missed", sa.Boolean))
    op.create_index(
        "ix_subscribers_list_language",
        "subscribers",
        ["list", "language"],
        sqlite_where=_HAS_LANGUAGE,
        postgresql_where=_HAS_LANGUAGE,
    )
    _give_renderings_a_language()


def _give_renderings_a_language() -> None:
    """Take the language into the key. SQLite changes no key of a table, so there it is made anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("renderings", sa.Column("language", sa.Text, nullable=False, server_default=""))
        op.alter_column("renderings", "language", server_default=None)
        op.drop_constraint("pk_renderings", "renderings")
        op.create_primary_key("pk_renderings", "renderings", ["issue_key", "language"])
        return
    op.rename_table("renderings", "former_renderings")
    op.create_table(
        "renderings",
        sa.Column("issue_key", _KEY, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("issue_key", "language", name="pk_renderings"),
        sa.ForeignKeyConstraint(["issue_key"], ["issues.key"], name="fk_renderings_issue_key_issues"),
    )
    op.execute(
        "INSERT INTO renderings (issue_key, language, body) SELECT issue_key, '', body FROM former_renderings"
    )
    op.drop_table("former_renderings")

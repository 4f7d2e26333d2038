"""What each reader gets, the list's terms and the rendered mail are stored with an issue when it is closed.

Issues that were closed before have the masthead alone: their terms are made of it, and all their deliveries refer
to one choice, which is everything in the issue in its own order. Their mail is rendered when it is first needed.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_WHOLE = 1  # the number of the choice of everything


def upgrade() -> None:
    op.create_table(
        "choices",
        sa.Column("issue_key", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("chosen", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["issue_key"], ["issues.key"], name="fk_choices_issue_key_issues"),
        sa.PrimaryKeyConstraint("issue_key", "number", name="pk_choices"),
    )
    op.create_table(
        "renderings",
        sa.Column("issue_key", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["issue_key"], ["issues.key"], name="fk_renderings_issue_key_issues"),
        sa.PrimaryKeyConstraint("issue_key", name="pk_renderings"),
    )
    op.alter_column("issues", "masthead", new_column_name="terms")
    op.add_column("deliveries", sa.Column("name", sa.Text))
    op.add_column("deliveries", sa.Column("choice", sa.Integer))
    op.execute(sa.text("UPDATE deliveries SET choice = :whole").bindparams(whole=_WHOLE))
    _separate_reasons()
    _close(op.get_bind())


def _separate_reasons() -> None:
    """Why an address is suppressed stood after the word that says so; now it has a column of its own."""
    for table in ("deliveries", "delivery_events"):
        op.execute(
            f"UPDATE {table} SET text = substr(reason, 13), reason = 'suppressed' "  # noqa: S608 (our own names)
            "WHERE state = 'withdrawn' AND substr(reason, 1, 12) = 'suppressed: '"
        )


def _close(connection: sa.Connection) -> None:
    """Give each issue its terms, and the choice of everything in it."""
    counts = sa.text("SELECT issue_key, COUNT(*) FROM issue_listings GROUP BY issue_key")
    sizes = {row[0]: row[1] for row in connection.execute(counts)}
    for key, subject, masthead in connection.execute(sa.text("SELECT key, subject, terms FROM issues")).all():
        size = sizes.get(key, 0)
        connection.execute(
            sa.text(
                "INSERT INTO choices (issue_key, number, chosen, subject) VALUES (:key, :whole, :all, :subject)"
            ),
            {
                "key": key,
                "whole": _WHOLE,
                "all": json.dumps([list(range(size)), [[]] * size]),
                "subject": subject,
            },
        )
        connection.execute(
            sa.text("UPDATE issues SET terms = :terms WHERE key = :key"),
            {"key": key, "terms": json.dumps(_terms(json.loads(masthead)), ensure_ascii=False)},
        )


def _terms(masthead: dict[str, Any]) -> dict[str, Any]:
    """Return the terms of a list of which only the masthead is known: the deadline follows from the cadence."""
    return {"masthead": masthead, "stale_after": "P4D" if masthead.get("cadence") == "weekly" else "PT36H"}

"""Links and titles in their former form get names of their own, so that they are recognised for what they are.

Today's form of a link keeps its fragment, and that of a title its signs and vowel signs: neither can be made of
the former one. `core.matching` puts a listing's identities right when a source shows it again.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for kind in ("url", "title"):
        op.execute(
            f"UPDATE listing_ids SET identity = 'former-' || identity WHERE identity LIKE '{kind}:%'"  # noqa: S608
        )

"""PostgreSQL's address, as those read it who connect beside the ledger's own engine."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from newsletter.store.engine import PARAMETERS


def is_postgresql(address: str) -> bool:
    """Return whether a URL is that of a PostgreSQL database; False for any that is none of a database."""
    try:
        return sa.make_url(address).get_backend_name() == "postgresql"
    except (ArgumentError, ValueError):
        return False


def conninfo_of(address: str) -> str:
    """Return the URL of a PostgreSQL database in libpq's words, with what `connect` would set."""
    url = sa.make_url(address).set(drivername="postgresql")
    missing = {name: str(value) for name, value in PARAMETERS.items() if name not in url.query}
    return url.update_query_dict(missing).render_as_string(hide_password=False)

"""A copy of a ledger, and the ledger that it takes the place of, in one connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from newsletter.store.engine import PATIENCE, store_errors


@contextmanager
def both(copy: Path, former: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a copy, with the ledger that it takes the place of attached as `former`."""
    with (
        store_errors(str(copy)),
        closing(sqlite3.connect(copy.absolute().as_uri(), uri=True, timeout=PATIENCE)) as database,
    ):
        database.execute("ATTACH ? AS former", (f"{former.absolute().as_uri()}?mode=ro",))
        yield database
        database.commit()

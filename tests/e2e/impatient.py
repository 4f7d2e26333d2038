"""The program, if it waits only a second for a locked database: `python -m tests.e2e.impatient COMMAND…`."""

from __future__ import annotations

from sqlalchemy.engine import URL

from newsletter import cli
from newsletter.store import engine

_SECONDS = 1.0
_sqlite = engine._sqlite


def run() -> None:
    """Run the program with little patience."""

    def impatient(url: URL, patience: float, *, foreign_keys: bool) -> engine.Database:
        return _sqlite(url, min(patience, _SECONDS), foreign_keys=foreign_keys)

    engine._sqlite = impatient
    cli.main()


if __name__ == "__main__":
    run()

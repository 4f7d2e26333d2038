"""The program with a clock that a test sets: `python -m tests.e2e.clocked FILE COMMAND…`.

The file says by how many seconds the clock is ahead of this machine's; it is read at each look at the clock.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from newsletter import bootstrap, cli

_utc_now = bootstrap.utc_now


def run(file: Path) -> None:
    """Run the program by this clock."""

    def now() -> datetime:
        return _utc_now() + timedelta(seconds=float(file.read_text()))

    bootstrap.utc_now = now
    cli.main()


if __name__ == "__main__":
    run(Path(sys.argv.pop(1)))

"""The program with a clock that a test sets: `python -m tests.e2e.clocked FILE COMMAND…`.

The file says by how many seconds the clock is ahead of this machine's; it is read at each look at the clock.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import apscheduler.schedulers.base

from newsletter import bootstrap, cli


def run(file: Path) -> None:
    """Run the program by this clock."""

    class Clock(datetime):
        """Tells the time as the file has it."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # as our code needs it
            return datetime.now(tz) + timedelta(seconds=float(file.read_text()))

    bootstrap.datetime = Clock  # type: ignore[attr-defined]
    apscheduler.schedulers.base.datetime = Clock
    cli.main()


if __name__ == "__main__":
    run(Path(sys.argv.pop(1)))

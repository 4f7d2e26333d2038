"""A simulated year, or a fortnight: `make simulate`, `python -m tests.simulation --fortnight`.

It prints a table, and what was wrong; the exit code is 1 if anything was.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from time import monotonic

from tests.simulation.results import judged, table
from tests.simulation.run import log_of, simulated
from tests.simulation.story import FORTNIGHT, YEAR, Story

_MOST_SHOWN = 40


async def simulate(story: Story, folder: Path) -> bool:
    """Run a story, print what it came to, and return whether all was well."""
    began = monotonic()
    async with simulated(story, folder) as simulation:
        await simulation.run()
    results = judged(simulation)
    print(table(simulation, results))
    print(f"took {monotonic() - began:.0f} s; the log is {folder / 'log'}:")
    for event, count in log_of(folder).most_common(_MOST_SHOWN):
        print(f"  {count:6} {event[:200]}")
    for line in results.wrong[:_MOST_SHOWN]:
        print(f"WRONG: {line}")
    return results.is_good


def main() -> int:
    """Read the command line and simulate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fortnight", action="store_true", help="two weeks around a change of the clocks")
    parser.add_argument("--folder", type=Path, help="an empty folder, kept afterwards")
    wanted = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # of the relay
    story = FORTNIGHT if wanted.fortnight else YEAR
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        return 0 if asyncio.run(simulate(story, wanted.folder or Path(temporary))) else 1


if __name__ == "__main__":
    sys.exit(main())

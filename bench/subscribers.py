"""What it costs to bring many readers into line with a list's files: `newsletter subscribers plan` and `apply`.

The commands run as processes, on a members file of so many rows, and once more with one of its rows changed. The
goals are for 1,000,000 rows and two cores. Memory is that of the command, without PostgreSQL's.

    python bench/subscribers.py [--json] [--readers 2000] [--database sqlite|postgresql|both]

Ratios are goals over figures: above 1 is good.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from at_scale.databases import KINDS, empty_database, kinds_of
from at_scale.figures import Row, ratios
from at_scale.processes import Program
from at_scale.working_folder import Calendar, WorkingFolder

BENCH = Path(__file__).resolve().parent
TODAY = "today"
NO_RELAY = 9  # the port "discard": no mail is sent


def measured(kind: str, folder: Path, readers: int) -> Iterator[Row]:
    """Yield the rows of a database."""
    folder.mkdir()
    with empty_database(kind, folder) as url:
        work = WorkingFolder.make(folder / "work", readers, Calendar.now())
        program = Program(BENCH.parent, work.path, work.environment(url, NO_RELAY))
        program.run("db", "upgrade")
        yield step(kind, program, "plan", added=readers)
        yield step(kind, program, "apply", added=readers)
        yield step(kind, program, "plan", called="plan, nothing to do", unchanged=readers)
        work.write_members(changed=readers // 2)
        yield step(kind, program, "plan", called="plan, one row changed", changed=1)
        yield step(kind, program, "apply", called="apply, one row changed", changed=1)


def step(kind: str, program: Program, command: str, *, called: str = "", **counts: int) -> Row:
    """Measure a command, which must come to these counts.

    Raises:
        SystemExit: it came to others.
    """
    ended = program.run("subscribers", command, "--json")
    [found] = json.loads(ended.out)
    if any(found[name] != count for name, count in counts.items()):
        raise SystemExit(f"subscribers {command}: expected {counts}, found {found}")
    figures = {"cpu_s": ended.cpu, "wall_s": ended.wall, "rss_mb": ended.rss}
    return Row(TODAY, kind, f"subscribers {called or command}", figures)


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-subscribers-") as name:
        for kind in kinds_of(arguments.database):
            if not arguments.json:
                print(f"{kind}, {arguments.readers:,} rows; goals are for 1,000,000", flush=True)
            for row in measured(kind, Path(name) / kind, arguments.readers):
                rows.append(row)
                if not arguments.json:
                    print(row.as_text(), flush=True)
    if arguments.json:
        print(json.dumps({"ratios": ratios(rows, ""), "rows": [row.as_json() for row in rows]}))


if __name__ == "__main__":
    main()

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
from contextlib import contextmanager
from pathlib import Path

from at_scale.figures import Row, ratios
from at_scale.processes import Program, helper
from at_scale.working_folder import Calendar, WorkingFolder

BENCH = Path(__file__).resolve().parent
TODAY = "today"
NO_RELAY = 9  # the port "discard": no mail is sent


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/newsletter.db"
        return
    with helper(sys.executable, BENCH / "at_scale" / "postgresql_server.py") as server:
        yield server.first


def measured(kind: str, folder: Path, readers: int) -> Iterator[Row]:
    """Yield the rows of a database."""
    folder.mkdir()
    with database(kind, folder) as url:
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
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="sqlite")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    kinds = ("sqlite", "postgresql") if arguments.database == "both" else (arguments.database,)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-subscribers-") as name:
        for kind in kinds:
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

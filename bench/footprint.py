"""What a reader and a delivery take in PostgreSQL: bytes on the disk, and of its log (WAL), which backups copy.

A working folder with a members file; one issue is closed and sent to a sink that takes everything. The sizes of
tables and indexes and how far the log went are read before and after each step.

    python bench/footprint.py [--json] [--readers 20000]

Figures are for each reader. `docs/scaling.md` reckons with them.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from at_scale.databases import empty_database
from at_scale.processes import Program, helper
from at_scale.working_folder import LIST, Calendar, WorkingFolder

BENCH = Path(__file__).resolve().parent
TABLES = ("subscribers", "deliveries", "delivery_events")


@dataclass(frozen=True)
class Sizes:
    """Bytes of tables, of their indexes, and of the log since the server began."""

    tables: dict[str, int]
    indexes: dict[str, int]
    log: int


def sizes(url: str) -> Sizes:
    """Return how large everything is; the server writes down first what it holds in memory."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")

        def number(query: str, *values: str) -> int:
            row = connection.execute(query, values).fetchone()
            assert row is not None
            return int(row[0])

        log = number("SELECT pg_current_wal_lsn() - '0/0'")
        tables = {name: number("SELECT pg_table_size(%s::regclass)", name) for name in TABLES}
        indexes = {name: number("SELECT pg_indexes_size(%s::regclass)", name) for name in TABLES}
    return Sizes(tables, indexes, log)


def measured(folder: Path, readers: int) -> list[dict[str, Any]]:
    """Return what each step took, in bytes for each reader."""
    subprocess.run(["cc", "-O2", "-o", folder / "sink", BENCH / "sink.c"], check=True)
    rows = []
    with empty_database("postgresql", folder) as url, helper(folder / "sink") as sink:
        work = WorkingFolder.make(folder / "work", readers, Calendar.now())
        program = Program(BENCH.parent, work.path, work.environment(url, int(sink.first)))
        program.run("db", "upgrade")
        before = sizes(url)
        for step, words in {
            "readers come": ("subscribers", "apply"),
            "an issue is closed and sent": ("run", "--list", LIST, "--date", f"{work.calendar.first}"),
        }.items():
            program.run(*words)
            after = sizes(url)
            rows.append({"step": step, **_grown(before, after, readers)})
            before = after
        if int(sink.ask()["messages"]) != readers:
            raise SystemExit("not all mails were sent")
    return rows


def _grown(before: Sizes, after: Sizes, readers: int) -> dict[str, int]:
    found = {"log": round((after.log - before.log) / readers)}
    for name in TABLES:
        found[name] = round((after.tables[name] - before.tables[name]) / readers)
        found[f"{name}, indexes"] = round((after.indexes[name] - before.indexes[name]) / readers)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readers", type=int, default=20_000)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    with tempfile.TemporaryDirectory(prefix="bench-footprint-") as name:
        rows = measured(Path(name), arguments.readers)
    if arguments.json:
        print(json.dumps({"ratios": {}, "rows": rows}))
        return
    print(f"bytes for each of {arguments.readers:,} readers")
    for row in rows:
        print(f"  {row.pop('step')}")
        for what, number in row.items():
            print(f"    {what:<26} {number:>7,}")


if __name__ == "__main__":
    main()

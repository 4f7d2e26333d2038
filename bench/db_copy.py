"""What it costs to copy a whole ledger into another database by `newsletter db copy`, and to be killed meanwhile.

Beside subscribers and deliveries there are as many suppressions, and a step of each delivery. What both databases
hold is then compared by sums that they make themselves, apart from the program's own comparison. Memory is that of
the command, without PostgreSQL's.

    python bench/db_copy.py [--json] [--subscribers 20000] [--deliveries 40000] [--interrupt 2] [--source sqlite]

Ratios are goals over figures: above 1 is good.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from at_scale.databases import empty_database
from at_scale.figures import Row, ratios
from at_scale.processes import Program

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from newsletter.store import upgrade
from newsletter.store.column_types import Moment, moment_text
from newsletter.store.copies.whole import copied
from newsletter.store.copy_tables import copied_tables
from tests.store import many

BENCH = Path(__file__).resolve().parent
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


def fill(url: str, subscribers: int, deliveries: int) -> None:
    """Write a ledger whose issues went to all subscribers, as many issues as it takes."""
    asyncio.run(upgrade(url))
    asyncio.run(many.fill(url, readers=subscribers, issues=max(1, round(deliveries / subscribers))))


def sums(url: str) -> dict[str, Any]:
    """Return how many rows each table has, and of each column a sum that both engines make alike."""

    def sum_of(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        match column.type:
            case sa.Integer():
                return sa.func.sum(column)
            case sa.Boolean():
                return sa.func.sum(sa.cast(column, sa.Integer))
            case Moment() | sa.Date():
                return sa.func.max(column)
            case _:
                return sa.func.sum(sa.func.length(column))

    engine, found = made_engine(url), {}
    with engine.connect() as connection:
        for table in copied():
            columns = [sum_of(column) for column in table.columns]
            row = connection.execute(sa.select(sa.func.count(), *columns).select_from(table)).one()
            found[table.name] = [moment_text(one) if hasattr(one, "tzinfo") else str(one) for one in row]
    engine.dispose()
    return found


def copied_rows(url: str) -> int:
    """Return how many rows a target has of what is copied; 0 where it is not begun."""
    engine = made_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.sum(copied_tables.c.row_count))) or 0)
    except sa.exc.DBAPIError:  # it has no tables yet
        return 0
    finally:
        engine.dispose()


def made_engine(url: str) -> sa.Engine:
    driver = {"postgresql": "postgresql+psycopg", "sqlite": "sqlite"}[sa.make_url(url).get_backend_name()]
    return sa.create_engine(sa.make_url(url).set(drivername=driver))


def measured(source: str, folder: Path, subscribers: int, deliveries: int, interrupt: int) -> Iterator[Row]:
    """Yield the rows: the copying, which was killed before so many times.

    Raises:
        SystemExit: the copy is not what was there, or it was whole before it could be killed.
    """
    (folder / "work").mkdir()
    with empty_database(source, folder) as former, empty_database(OTHER[source], folder) as new:
        fill(former, subscribers, deliveries)
        before = sums(former)
        program = Program(BENCH.parent, folder / "work", {})
        words = ("db", "copy", former, new, "--json")
        total = sum(int(one[0]) for one in before.values())
        for number in range(interrupt):
            enough = total * (number + 1) // (interrupt + 1)
            if not program.killed(lambda enough=enough: copied_rows(new) >= enough, *words):  # type: ignore[misc]
                raise SystemExit("the copy was whole before it could be killed: name more deliveries")
        ended = program.run(*words)
        done = json.loads(ended.out)
        after = sums(new)
        if differing := [name for name in before if after[name] != before[name]]:
            raise SystemExit(f"the copy is not what was there: {', '.join(differing)}")
        if done["went_on"] is not bool(interrupt):
            raise SystemExit("it began anew")
        figures = {"cpu_s": ended.cpu, "wall_s": ended.wall, "rss_mb": ended.rss, "rows": done["rows"]}
        if not interrupt:
            figures["rows_per_s"] = done["rows"] / ended.wall
        yield Row("today", f"from {source}", "db copy", figures)


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--deliveries", type=int, default=40_000)
    parser.add_argument("--interrupt", type=int, default=0, help="how often the command is killed first")
    parser.add_argument("--source", choices=sorted(OTHER), default="sqlite")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    with tempfile.TemporaryDirectory(prefix="bench-copy-") as name:
        rows = list(
            measured(
                arguments.source,
                Path(name),
                arguments.subscribers,
                arguments.deliveries,
                arguments.interrupt,
            )
        )
    if arguments.json:
        print(json.dumps({"ratios": ratios(rows, ""), "rows": [row.as_json() for row in rows]}))
        return
    for row in rows:
        print(row.as_text())


if __name__ == "__main__":
    main()

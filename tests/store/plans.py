"""How the databases carry out statements: the plans of all that run on a connection, whoever writes them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsletter.store.engine import Database

# These hold what waits, or what a worker holds, and nothing else: they may be gone through from end to end.
_SMALL = {"ix_deliveries_issue_key_ready_at_key", "ix_deliveries_claimed_by"}
_READS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


class SqlitePlans:
    """The statements that run in an SQLite database."""

    def __init__(self, database: Database) -> None:
        """Listen; the database has no connections yet."""
        assert database.path is not None
        self._path = database.path
        self._statements: list[str] = []
        for engine in (database.reader, database.writer):
            sa.event.listen(engine.sync_engine, "connect", self._listen)

    def _listen(self, connection: Any, _record: Any) -> None:
        connection.run_async(lambda opened: opened.set_trace_callback(self._statements.append))

    def scans(self, tables: set[str]) -> list[str]:
        """Return which of these tables the statements since the last call go through from end to end, and how."""
        done, self._statements[:] = [each for each in self._statements if _READS.match(each)], []
        found = []
        with sqlite3.connect(self._path) as connection:
            for statement in done:
                plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}")
                found += [f"{detail}: {statement}" for *_, detail in plan if _scans(detail, tables)]
        connection.close()
        return found


def _scans(detail: str, tables: set[str]) -> bool:
    """Return whether a line of a plan (https://www.sqlite.org/eqp.html) goes through a whole table or index."""
    words = detail.split()
    return words[0] == "SCAN" and words[1] in tables and not _SMALL & set(words)


class PostgresqlPlans:
    """The statements that run in a PostgreSQL database: `auto_explain` writes their plans into its log."""

    OPTIONS = (
        "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 "
        "-c auto_explain.log_format=json -c auto_explain.log_nested_statements=on -c auto_explain.log_analyze=on"
    )

    def __init__(self, log: Path) -> None:
        """Begin with what is written into the log from now on."""
        self._log = log
        self._read = log.stat().st_size

    def scans(self, tables: set[str]) -> list[str]:
        """Return which of these tables the statements since the last call go through from end to end, and how."""
        found = []
        for plan in self._new():
            nodes = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") in tables]
            found += [f"{node['Node Type']}: {plan['Query Text']}" for node in nodes if _is_scan(node)]
        return found

    def most_rows(self) -> int:
        """Return the most rows that any step of the statements since the last call gave."""
        return max((int(node["Actual Rows"]) for plan in self._new() for node in _nodes(plan["Plan"])), default=0)

    def _new(self) -> Iterator[dict[str, Any]]:
        with self._log.open(encoding="utf-8") as log:
            log.seek(self._read)
            text, self._read = log.read(), self._log.stat().st_size
        return _logged(text)


def _logged(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    for found in re.finditer(r"plan:\s*(?=\{)", text):
        yield decoder.raw_decode(text, found.end())[0]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _is_scan(node: dict[str, Any]) -> bool:
    """Return whether a node of a plan goes through a whole table or index."""
    if node["Node Type"] in {"ModifyTable", "LockRows", "Bitmap Heap Scan"}:  # what is below them finds the rows
        return False
    return "Index Cond" not in node and "TID Cond" not in node and node.get("Index Name") not in _SMALL


Plans = Callable[[set[str]], list[str]]

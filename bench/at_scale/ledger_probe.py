"""Watches a ledger while others work with it: `python ledger_probe.py URL ISSUES`.

It measures how long others keep writers waiting: on SQLite the longest time in which no writing transaction can
begin, tried every millisecond; on PostgreSQL the greatest age of a transaction that has written, looked at
every 20 ms. There are three phases: `sync` until the ledger holds subscribers, `closing` until it holds ISSUES
closed issues, `sending`.

It answers each line of its input, and the end of it, with JSON: the longest seconds of each phase, the moment
(of `time.monotonic`) at which the phase `sending` began, and whether deliveries are open.
"""

from __future__ import annotations

import json
import os
import select
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

_LOOK = 0.02  # seconds between two looks at the phase

_OPEN = """SELECT EXISTS (SELECT 1 FROM deliveries WHERE ready_at IS NOT NULL)
OR EXISTS (SELECT 1 FROM deliveries WHERE claimed_by IS NOT NULL)"""
_SYNCED = "SELECT EXISTS (SELECT 1 FROM subscribers)"
_CLOSED = "SELECT count(*) FROM issues WHERE closing_by IS NULL"
_ISSUES = "SELECT count(*) FROM issues"  # of versions that close an issue in one transaction

Ask = Callable[[str], Any]  # returns the one value that a query gives


class Ledger(Protocol):
    """What both databases are asked."""

    every: float  # seconds between two tries

    def ask(self, query: str) -> Any:
        """Return the one value that a query gives."""

    def kept_waiting(self) -> float:
        """Return for how long somebody has kept writers waiting by now."""


class SqliteLedger:
    """A file; what it is asked goes over another connection than what tries to write."""

    every = 0.001

    def __init__(self, path: str) -> None:
        self._writer, self._reader = (
            sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=seconds, isolation_level=None)
            for seconds in (0, 60)
        )
        self._free = time.monotonic()  # when a transaction could begin last

    def ask(self, query: str) -> Any:
        """Return the one value that a query gives."""
        return self._reader.execute(query).fetchone()[0]

    def kept_waiting(self) -> float:
        """Return for how long no transaction could begin, until just now."""
        began = self._free
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return time.monotonic() - began
        self._writer.execute("ROLLBACK")
        self._free = time.monotonic()
        return 0.0


class PostgresqlLedger:
    """A database on a server."""

    every = 0.02
    _OLDEST = """SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415 (as small as can be on SQLite)

        self._connection = psycopg.connect(url, autocommit=True)

    def ask(self, query: str) -> Any:
        """Return the one value that a query gives."""
        row = self._connection.execute(query.encode()).fetchone()
        assert row
        return row[0]

    def kept_waiting(self) -> float:
        """Return the age of the oldest transaction that has written."""
        return float(self.ask(self._OLDEST))


class Watch:
    """What was seen so far."""

    def __init__(self, ledger: Ledger, issues: int) -> None:
        self._ledger = ledger
        self._issues = issues
        self._closed = _CLOSED if _has_column(ledger) else _ISSUES
        self._longest = {"sync": 0.0, "closing": 0.0, "sending": 0.0}
        self._sending_since: float | None = None
        self._phase = "sync"
        self._looked = 0.0
        self.look()

    def look(self) -> None:
        """See which phase it is, and how long writers are kept waiting."""
        if (now := time.monotonic()) - self._looked >= _LOOK:
            self._looked = now
            self._phase = self._phase_now(now)
        waited = self._ledger.kept_waiting()
        self._longest[self._phase] = max(self._longest[self._phase], waited)

    def _phase_now(self, now: float) -> str:
        if self._phase == "sync" and not self._ledger.ask(_SYNCED):
            return "sync"
        if self._phase != "sending" and self._ledger.ask(self._closed) < self._issues:
            return "closing"
        self._sending_since = self._sending_since or now
        return "sending"

    def said(self) -> str:
        """Return all that as JSON."""
        is_open = bool(self._ledger.ask(_OPEN))
        return json.dumps({"longest": self._longest, "sending_since": self._sending_since, "open": is_open})


def _has_column(ledger: Ledger) -> bool:
    """Return whether this ledger knows issues that are still being closed."""
    try:
        ledger.ask(_CLOSED)
    except Exception as error:
        if "closing_by" in str(error):
            return False
        raise
    return True


def main() -> None:
    url, issues = sys.argv[1:]
    kind, _, path = url.partition("://")
    ledger: Ledger = SqliteLedger(path.removeprefix("/")) if kind == "sqlite" else PostgresqlLedger(url)
    watch = Watch(ledger, int(issues))
    print("watching", flush=True)
    while True:
        asked, _, _ = select.select([0], [], [], ledger.every)
        if asked:
            line = os.read(0, 1)
            print(watch.said(), flush=True)
            if not line:
                return
        watch.look()


if __name__ == "__main__":
    main()

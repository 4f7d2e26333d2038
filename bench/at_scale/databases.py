"""The databases that a bench measures."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from at_scale.processes import helper

KINDS = ("sqlite", "postgresql", "both")


def kinds_of(choice: str) -> Sequence[str]:
    """Return what one of `KINDS` stands for."""
    return KINDS[:2] if choice == "both" else (choice,)


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database; SQLite's is in a folder."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/newsletter.db"
        return
    with helper(sys.executable, Path(__file__).with_name("postgresql_server.py")) as server:
        yield server.first

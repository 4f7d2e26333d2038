"""SQL statements that are compiled once in this process, and not by each database that a test opens.

A database of the program stays open for long; nearly every test opens one of its own, and compiling its statements
takes it longer than running them.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from newsletter.store import engine


class ByKindOfDatabase(MutableMapping[Any, Any]):
    """What statements were compiled to. SQLAlchemy asks by the dialect, of which each engine has its own.

    Those of one kind compile alike, so only the kind counts.
    """

    def __init__(self) -> None:
        self._kept = LRUCache[Any, Any](2_000)

    @staticmethod
    def _key(asked: Any) -> Any:
        dialect, *rest = asked
        return (type(dialect), *rest)

    def __getitem__(self, asked: Any) -> Any:
        return self._kept[self._key(asked)]

    def __setitem__(self, asked: Any, compiled: Any) -> None:
        self._kept[self._key(asked)] = compiled

    def __delitem__(self, asked: Any) -> None:
        del self._kept[self._key(asked)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """Let the tests of this process compile each statement once."""
    with shared_statements():
        yield


@contextmanager
def shared_statements() -> Iterator[None]:
    """Let all databases of this process share what their statements were compiled to."""
    kept = ByKindOfDatabase()

    def create(*args: Any, **options: Any) -> AsyncEngine:
        return create_async_engine(*args, execution_options={"compiled_cache": kept}, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "create_async_engine", create)
        yield

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from newsletter.ports import Store
from newsletter.store import open_store

Opener = Callable[..., Awaitable["Store"]]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/newsletter.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def open_at() -> AsyncIterator[Opener]:
    """Opens stores, as `open_store` does, and closes them when the test is over."""
    stores = []

    async def open_one(url: str, **options: Any) -> Store:
        stores.append(await open_store(url, **options))
        return stores[-1]

    yield open_one
    for store in stores:
        await store.close()


@pytest.fixture
async def opened(url: str, open_at: Opener) -> Opener:
    """Opens the test's store; every call gives another way to the same data."""
    return partial(open_at, url)


@pytest.fixture
async def store(opened: Opener) -> Store:
    """A store in each engine, empty."""
    return await opened()

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from newsletter.ports import Store
from newsletter.store import open_store, upgrade
from tests.postgres import Server, postgres

__all__ = ["postgres"]

Opener = Callable[..., Awaitable["Store"]]

_TEMPLATE = "template_newsletter"


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> Server:
    """The PostgreSQL server, with a database that has all tables and is copied for each test."""
    postgres.run("CREATE DATABASE {}", _TEMPLATE)
    asyncio.run(upgrade(postgres.url(_TEMPLATE)))
    return postgres


@pytest.fixture
def postgres_url(migrated_postgres: Server) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is up to date."""
    migrated_postgres.run("CREATE DATABASE {} TEMPLATE {}", "newsletter", _TEMPLATE)
    yield migrated_postgres.url("newsletter")
    migrated_postgres.run("DROP DATABASE {} WITH (FORCE)", "newsletter")


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

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from newsletter.demo.catch_all import catch_all
from tests.e2e.workplace import Workplace

# With this, all of these tests have their ledger in PostgreSQL, and two workers deliver: `make test-workers`.
_ALL_BY_WORKERS = bool(os.environ.get("TEST_BY_WORKERS"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let tests with the mark `by_workers` run a second time, on PostgreSQL with two workers."""
    if "cluster_url" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        ways = ["alone", "workers"] if "by_workers" in marks else ["alone"]
        if _ALL_BY_WORKERS and "without_workers" not in marks:
            ways = ["workers"]
        metafunc.parametrize("cluster_url", ways, indirect=True, ids=lambda way: "" if way == "alone" else way)


@pytest.fixture
def cluster_url(request: pytest.FixtureRequest) -> str | None:
    """The URL of the PostgreSQL database that workers deliver from; None: the ledger is a file."""
    return None if request.param == "alone" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def workplace(tmp_path: Path, cluster_url: str | None) -> AsyncIterator[Workplace]:
    """Give an empty working folder, whose mail arrives in a Maildir."""
    folder = tmp_path / "work"
    folder.mkdir()
    async with catch_all(tmp_path / "inbox") as port:
        place = Workplace(folder, tmp_path / "inbox", port, cluster_url=cluster_url)
        yield place
        await place.dismiss_workers()

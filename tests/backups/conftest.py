"""A ledger in each engine, with what there is to back up, and commands that run in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call, call, folder
from tests.postgres import migrated_postgres, postgres, postgres_url
from tests.store.conftest import url

__all__ = ["call", "folder", "migrated_postgres", "postgres", "postgres_url", "url"]


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of the ledger that commands in the folder use."""
    if request.param == "sqlite":
        return sqlite_url(folder / "var" / "newsletter.db")
    url = str(request.getfixturevalue("postgres_url"))
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", url)
    return url

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from newsletter.demo.catch_all import catch_all
from tests.e2e.workplace import Workplace


@pytest.fixture
async def workplace(tmp_path: Path) -> AsyncIterator[Workplace]:
    """Give an empty working folder, whose mail arrives in a Maildir."""
    folder = tmp_path / "work"
    folder.mkdir()
    async with catch_all(tmp_path / "inbox") as port:
        yield Workplace(folder, tmp_path / "inbox", port)

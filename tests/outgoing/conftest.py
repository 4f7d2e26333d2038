from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from newsletter.core.events import EventType, Listener
from newsletter.ports import Store
from newsletter.store import open_store
from tests.outgoing.worker import NAME
from tests.store.conftest import Opener, open_at

__all__ = ["Opener", "open_at"]

EARS = Listener(NAME, frozenset(EventType))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/newsletter.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """A ledger in a file, with somebody who listens."""
    opened = await open_store(url, listeners=(EARS,))
    yield opened
    await opened.close()

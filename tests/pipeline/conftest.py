from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from newsletter.ports import Store
from newsletter.store import open_store
from tests.pipeline import parts
from tests.pipeline.parts import MakeDesk


@pytest.fixture
def desk_with(tmp_path: Path, store: Store) -> MakeDesk:
    """Makes a desk whose list has one reader and the given sources and wishes."""
    return partial(parts.desk_with, tmp_path, store)


@pytest.fixture
async def other_desk_with(tmp_path: Path) -> AsyncIterator[MakeDesk]:
    """Makes a desk apart from that of `desk_with`, with a store and a folder of its own."""
    folder = tmp_path / "other"
    folder.mkdir()
    store = await open_store("sqlite://")
    yield partial(parts.desk_with, folder, store)
    await store.close()

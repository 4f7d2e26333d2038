from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.site import Site, served_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with served_site(tmp_path / "pages") as site:
        yield site

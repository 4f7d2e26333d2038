from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.site import Site, served_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with served_site() as site:
        yield site

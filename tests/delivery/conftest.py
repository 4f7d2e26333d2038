from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.delivery import pools
from tests.delivery.pools import Make
from tests.smtp_server import Certificates, SmtpServer


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture
def ca_file(certificates: Certificates, tmp_path: Path) -> Path:
    return certificates.write(tmp_path)


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    """Give an SMTP server that takes everything, without TLS, until told otherwise."""
    async with SmtpServer() as server:
        yield server


@pytest.fixture(params=["ledger", "journal"])
def dispatcher(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Make dispatchers of both kinds: with notes that go straight to the ledger, and with a journal."""
    return partial(pools.dispatcher, journals=tmp_path / "journals" if request.param == "journal" else None)

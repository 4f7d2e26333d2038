from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.delivery import services, worker
from tests.delivery.services import Make
from tests.smtp_server import Certificates, SmtpServer


@pytest.fixture(scope="session", autouse=True)
def _workers_are_dismissed() -> Iterator[None]:
    """End the processes that `Workers` keeps from one test to the next."""
    yield
    worker.dismiss()


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
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Make services of both kinds: with notes that go straight to the ledger, and with a journal."""
    return partial(services.process, journals=tmp_path / "journals" if request.param == "journal" else None)

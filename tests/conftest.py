from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from newsletter.ports import Store
from newsletter.store import open_store
from tests.compiled_statements import compiled_statements
from tests.compiled_templates import compiled_templates
from tests.made_tables import made_tables
from tests.postgres import migrated_postgres, postgres, postgres_url

__all__ = [
    "compiled_statements",
    "compiled_templates",
    "made_tables",
    "migrated_postgres",
    "postgres",
    "postgres_url",
]

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", parent=settings.get_profile("ci"), max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave the collected tests alone: it would go through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep an operator's own environment out of the tests."""
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Take back how a command that a test ran within this process has set up logging.

    Tracebacks are printed plainly: structlog would have rich colour them, which takes a tenth of a second each.
    """
    before = structlog.get_config()["processors"][:-1]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    """Let the one HTTP server of a test process listen where all tests expect it, whichever comes first."""
    return ("127.0.0.1", 0)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """An empty store, in memory."""
    opened = await open_store("sqlite://")
    yield opened
    await opened.close()

"""Where requests come from: only what proxies of the operator's own say counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from newsletter.store import open_store
from newsletter.web.clients import Clients, Quota, SharedQuota

CLIENTS = Clients([ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("::1")])


def request(address: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "client": (address, 1), "headers": headers})


@pytest.mark.parametrize(
    ("address", "forwarded", "client"),
    [
        ("8.8.8.8", (), "8.8.8.8"),
        ("8.8.8.8", ("1.1.1.1",), "8.8.8.8"),  # no proxy of ours: it may say what it likes
        ("127.0.0.1", ("1.1.1.1",), "1.1.1.1"),
        ("127.0.0.1", ("9.9.9.9, 1.1.1.1",), "1.1.1.1"),
        ("127.0.0.1", ("9.9.9.9", "1.1.1.1, 10.0.0.7"), "1.1.1.1"),
        ("::1", ("2606:4700:0:1:2:3:4:5",), "2606:4700:0000:0001"),
        ("::ffff:127.0.0.1", ("1.1.1.1",), "1.1.1.1"),
        ("127.0.0.1", (), ""),
        ("127.0.0.1", ("unknown",), ""),
        ("127.0.0.1", ("",), ""),
        ("127.0.0.1", ("1.1.1.1, " * 200 + "10.0.0.1",), "1.1.1.1"),
    ],
)
def test_a_client_is_who_the_nearest_proxy_that_is_ours_names(
    address: str, forwarded: tuple[str, ...], client: str
) -> None:
    assert CLIENTS.of(request(address, *forwarded)) == client


async def test_each_client_has_its_own_quota_and_who_is_not_known_has_none() -> None:
    quota = Quota(2)
    assert [await quota.take("1.1.1.1") for _ in range(3)] == [True, True, False]
    assert await quota.take("8.8.8.8")
    assert all([await quota.take("") for _ in range(5)])


async def test_a_process_counts_by_itself_while_the_ledger_cannot_be_written(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/newsletter.db")
    noon = datetime(2026, 3, 12, 12, tzinfo=UTC)
    quota = SharedQuota(
        what="sign-in",
        most=2,
        per=timedelta(hours=1),
        counts=store.shared_counts,
        secret="x",
        clock=lambda: noon,
    )
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as ledger, capture_logs() as logs:
        ledger.execute("CREATE TRIGGER full BEFORE INSERT ON shared_counts BEGIN SELECT RAISE(ABORT, 'full'); END")
        assert [await quota.take("1.1.1.1") for _ in range(3)] == [True, True, False]
    assert [one["event"] for one in logs] == ["counted_here_alone"] * 2
    await store.close()


async def test_memory_is_bounded_and_nobody_is_locked_out_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.web.clients._MOST_CLIENTS", 3)
    quota = Quota(1)
    assert all([await quota.take(f"8.8.8.{number}") for number in range(20)])
    assert await quota.take("8.8.8.0")

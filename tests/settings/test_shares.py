"""What of the settings falls to each of the processes that deliver together."""

from __future__ import annotations

import pytest

from newsletter.core.processes import Processes
from newsletter.settings import load
from newsletter.settings.groups import Settings
from newsletter.settings.shares import processes_of, share_of


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    values = {
        "SMTP__CONNECTIONS": "7",
        "SMTP__RATE": "30",
        "SMTP__RELAYS": '[{"host": "second.example.org", "connections": 4, "security": "none", "rate": 9}]',
        "DELIVERY__PROCESSES": "3",
        "DELIVERY__DOMAIN_CONNECTIONS": "5",
        "DELIVERY__DOMAIN_RATE": "6",
        "DELIVERY__DOMAINS": '{"example.org": {"connections": 4}, "example.com": {"rate": 3}}',
    }
    for name, value in values.items():
        monkeypatch.setenv(f"NEWSLETTER_{name}", value)
    return load(None)


def test_connections_are_divided_and_nothing_else_is_changed(settings: Settings) -> None:
    shares = [share_of(settings, place, 3) for place in range(3)]

    assert [one.smtp.connections for one in shares] == [3, 2, 2]
    assert [one.smtp.relays[0].connections for one in shares] == [2, 1, 1]
    assert [one.delivery.domain_connections for one in shares] == [2, 2, 1]
    assert [one.delivery.domains["example.org"].connections for one in shares] == [2, 1, 1]
    assert {one.delivery.processes for one in shares} == {1}
    assert {one.smtp.rate for one in shares} == {30}  # which the ledger keeps over all processes
    assert settings.smtp.connections == 7


def test_what_the_settings_allow_bounds_the_processes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes_of(settings, cores=1) == Processes(3)
    monkeypatch.setenv("NEWSLETTER_DELIVERY__PROCESSES", "0")
    assert processes_of(load(None), cores=2) == Processes(1)  # 30 a second
    monkeypatch.setenv("NEWSLETTER_SMTP__RATE", "0")
    assert processes_of(load(None), cores=2) == Processes(2)
    assert processes_of(load(None), cores=16) == Processes(4)

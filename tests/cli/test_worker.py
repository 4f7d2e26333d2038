"""`newsletter worker` and who delivers, where the settings allow no workers: a line that says what to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.parts.dispatching import jobs_for_workers
from newsletter.settings import Settings
from newsletter.settings.groups import DatabaseSettings, DeliverySettings
from tests.cli.conftest import Call

URL = "postgresql://papers:secret@db.example/papers"


def test_a_worker_needs_postgresql(call: Call, folder: Path) -> None:
    code, _, err = call("worker")

    assert code == 78
    assert "NEWSLETTER_DATABASE__URL=postgresql://" in err


def test_a_worker_has_nothing_to_do_where_every_process_delivers(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY__DISPATCHER", "Inline")

    code, _, err = call("worker")

    assert code == 78
    assert "NEWSLETTER_DELIVERY__DISPATCHER=inline" in err


@pytest.mark.parametrize("queues", ["", ",", "mail", "mails,letters"])
def test_a_queue_that_is_none_is_named(call: Call, folder: Path, queues: str) -> None:
    code, _, err = call("worker", "--queues", queues)

    assert code == 2
    assert "write mails, issues, or mails,issues" in err


def test_to_wait_for_workers_takes_postgresql(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY__DISPATCHER", "procrastinate")

    code, _, err = call("run")

    assert code == 78
    assert "NEWSLETTER_DELIVERY__DISPATCHER=procrastinate" in err
    assert "NEWSLETTER_DATABASE__URL" in err


def test_without_the_extra_workers_are_asked_for_by_nobody_but_who_insists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("newsletter.parts.dispatching.find_spec", lambda _: None)

    def settings(dispatcher: str) -> Settings:
        delivery = DeliverySettings.model_validate({"dispatcher": dispatcher})
        return Settings(database=DatabaseSettings.model_validate({"url": URL}), delivery=delivery)

    assert jobs_for_workers(settings("automatic")) is None
    with pytest.raises(ConfigurationError, match="cluster") as raised:
        jobs_for_workers(settings("procrastinate"))
    assert "secret" not in str(raised.value)

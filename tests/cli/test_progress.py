from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from newsletter.cli.progress import DeliveryProgress, progress
from newsletter.core.delivery import DeliveryState, Outcome

SENT, DEFERRED = (Outcome(state=state) for state in (DeliveryState.SENT, DeliveryState.DEFERRED))


def test_it_is_told_now_and_then_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(number / 4 for number in range(1000))
    monkeypatch.setattr("newsletter.cli.progress.monotonic", lambda: next(seconds))
    told: list[dict[str, Any]] = []
    shown = DeliveryProgress(told.append, every=1)
    for remaining in reversed(range(1, 41)):
        shown.delivered(SENT, remaining)
    shown.delivered(DEFERRED, 0)

    assert len(told) == 11
    assert told[0] == {
        "sent": 4,
        "deferred": 0,
        "refused": 0,
        "uncertain": 0,
        "remaining": 37,
        "per_second": 4.0,
        "seconds_left": 9.2,
    }
    assert told[-1]["sent"] == 40
    assert told[-1]["deferred"] == 1
    assert told[-1]["remaining"] == 0
    assert all(one["remaining"] > after["remaining"] for one, after in pairwise(told))


def test_as_json_it_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(as_json=True) as shown:
        assert shown is not None
        shown.delivered(SENT, 0)
    out, err = capsys.readouterr()
    assert out == ""
    event = json.loads(err)
    assert (event["event"], event["sent"], event["remaining"], event["seconds_left"]) == ("delivering", 1, 0, 0)


def test_without_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as shown:
        assert shown is None
    assert capsys.readouterr() == ("", "")

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from newsletter.core.errors import SummarizerError
from newsletter.pipeline.model_health import ModelHealth
from newsletter.ports import OperatorAlarm


@pytest.mark.parametrize(("asks", "rests"), [(600.0, 600.0), (10.0**6, 3600.0)])
def test_a_server_that_names_weeks_is_asked_again_after_an_hour(asks: float, rests: float) -> None:
    now = [0.0]
    health = ModelHealth("a-model", create_autospec(OperatorAlarm, instance=True), lambda: now[0])
    assert not health.failed(SummarizerError("busy", wait=asks), begun=0.0, time_left=60.0)
    now[0] = rests - 1
    assert health.trouble == "busy"
    now[0] = rests
    assert not health.trouble

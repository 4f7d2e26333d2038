"""Whether a model is worth asking just now: what one request learns of it, all others of the process know."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from newsletter.core.alarms import Cause
from newsletter.core.errors import SummarizerError
from newsletter.ports import OperatorAlarm

log = structlog.get_logger(__name__)

_PATIENCE = 3  # failures in a row after which a model is left alone
_REST = 300.0  # seconds: longer than one run asks, so that other lists of the run do not wait for it in vain
_LONGEST_REST = 3600.0  # seconds: a server that names a year is asked again by the next hour's runs


class ModelHealth:
    """Remembers failures, and until when the model is left alone.

    After three failures in a row, and where it is set up wrongly, that is for the rest of the run. A server that
    is busy says how long it wants to be left alone, and is for an hour at most; what was asked before it said so
    tells nothing new.
    """

    def __init__(self, model: str, alarm: OperatorAlarm, monotonic: Callable[[], float]) -> None:
        """Take the model's name, who is told of trouble, and what measures time in seconds."""
        self._model = model
        self._alarm = alarm
        self._monotonic = monotonic
        self._in_a_row = 0
        self._paused_at = self._pause_ends = 0.0
        self._rest_ends, self._reason = 0.0, ""
        self._is_known_to_work = False

    @property
    def trouble(self) -> str:
        """Return why the model is left alone for the rest of the run, or nothing."""
        return self._reason if self._monotonic() < self._rest_ends else ""

    @property
    def pause(self) -> float:
        """Return for how many seconds its server wants to be left alone."""
        return max(self._pause_ends - self._monotonic(), 0.0)

    def begun(self) -> float:
        """Return the moment at which a request begins, for `failed`."""
        return self._monotonic()

    async def works(self) -> None:
        """Note that an answer came, and say so where there was an alarm."""
        self._in_a_row = 0
        if not self._is_known_to_work:
            self._is_known_to_work = True
            await self._alarm.over([Cause.SUMMARIES], self._model)

    def failed(self, error: SummarizerError, begun: float, time_left: float) -> bool:
        """Note a failure of a request, and return whether to try the same again after the pause.

        Args:
            error: what went wrong.
            begun: when the request began.
            time_left: how many seconds there are to wait.
        """
        if error.wait <= 0:
            self._count(str(error))
            return False
        if error.wait >= time_left:
            self._leave_alone(str(error), min(error.wait, _LONGEST_REST))
            return False
        if begun >= self._paused_at:
            self._paused_at = self._monotonic()
            self._count(str(error))
        self._pause_ends = max(self._pause_ends, self._monotonic() + error.wait)
        return not self.trouble

    def broke(self) -> None:
        """Note that a request ended by a defect of the program."""
        self._count("internal error")

    def hangs(self, reason: str) -> None:
        """Note that the time was over before any answer came."""
        self._leave_alone(reason, _REST)

    async def is_set_up_wrongly(self, reason: str) -> None:
        """Note that no request can work before somebody changes something, and ring the alarm."""
        if not self.trouble:
            self._leave_alone(reason, _REST)
            self._is_known_to_work = False
            await self._alarm.ring(Cause.SUMMARIES, self._model, reason)

    def _count(self, reason: str) -> None:
        self._in_a_row += 1
        if self._in_a_row >= _PATIENCE:
            self._leave_alone(f"{_PATIENCE} requests in a row failed: {reason}", _REST)

    def _leave_alone(self, reason: str, seconds: float) -> None:
        self._in_a_row = 0
        self._rest_ends, self._reason = self._monotonic() + seconds, reason
        log.warning("model_left_alone", model=self._model, seconds=round(seconds), reason=reason)

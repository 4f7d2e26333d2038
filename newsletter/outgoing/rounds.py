"""Sends what is due to all receivers, side by side: one that hangs holds up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from newsletter.core.notices import next_try
from newsletter.outgoing.receiver import NotTakenError, Receiver
from newsletter.ports import Clock, Notices

log = structlog.get_logger(__name__)

CUT_OFF = "was cut off while it was sent, so it may be there: it is not sent again"


class Rounds:
    """Sends notices. Safe to run in several processes at once: the ledger decides who sends which."""

    def __init__(self, notices: Notices, clock: Clock) -> None:
        self._notices = notices
        self._clock = clock

    async def send(self, receivers: Iterable[Receiver], stop: asyncio.Event) -> None:
        """Send what is due to each of these receivers; when `stop` is set, what is in flight is finished.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        await self._notices.forget_old(now=self._clock())
        await self._notices.ripen(now=self._clock())
        ready = await self._notices.ready(now=self._clock())
        work = [self._send_all(receiver, stop) for receiver in receivers if receiver.name in ready]
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _send_all(self, receiver: Receiver, stop: asyncio.Event) -> None:
        while not stop.is_set():
            notice = await self._notices.claim(receiver.name, now=self._clock())
            if notice is None:
                return
            about = {"receiver": receiver.name, "kind": notice.kind, "id": notice.id, "tries": notice.attempts}
            try:
                if notice.was_cut_off and not receiver.takes_twice:
                    raise NotTakenError(CUT_OFF, is_final=True)  # noqa: TRY301 (as if the receiver had said so)
                await receiver.tell(notice)
            except NotTakenError as error:
                now = self._clock()
                again = next_try(receiver.pauses, notice.attempts, now=now, wait=error.wait)
                again = None if error.is_final else again
                await self._notices.failed(notice, str(error), again_at=again, now=now)
                if again is None:
                    log.warning("notice_given_up", reason=str(error), **about)
                else:
                    log.info("notice_failed", reason=str(error), next_try=again.isoformat(), **about)
            else:
                await self._notices.sent(notice, now=self._clock())
                log.info("notice_sent", **about)

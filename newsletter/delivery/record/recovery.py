"""Recovery: bringing back what dead workers held, before anything is delivered."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import structlog

from newsletter.core.delivery import Uncertain
from newsletter.core.errors import StoreError
from newsletter.delivery.record import journal
from newsletter.ports import ClaimedDeliveries

log = structlog.get_logger(__name__)


async def recover(outbox: ClaimedDeliveries, policy: Uncertain, *, now: datetime, journals: Path | None) -> int:
    """Bring the ledger up to the journals of dead workers, and queue again what they held.

    A journal is read before its worker's deliveries are given back. Workers that die in between wait for the next
    recovery: else what they held might be sent again although their journal says that it was sent. Where a journal
    is damaged, everything that its worker held counts as in flight.

    Args:
        outbox: the ledger.
        policy: what to do with deliveries that were in flight.
        now: aware, UTC.
        journals: the folder of journals, or None if none are kept.

    Returns:
        How many deliveries had been in flight, or may have been.

    Raises:
        StoreError: a journal or the ledger can't be read or written; nothing may be sent.
    """
    if journals is None:
        in_flight = await outbox.recover(policy, now=now)
    else:
        async with _alone(journals):
            dead = await outbox.dead_workers()
            unread = [worker for worker in dead if not await _read(outbox, journals, worker)]
            in_flight = await outbox.recover(policy, now=now, workers=dead, unread=unread)
            for worker in dead:
                journal.remove_read(journals, worker)
    if in_flight:
        log.warning("deliveries_were_in_flight", count=in_flight, policy=policy.value)
    return in_flight


async def _read(outbox: ClaimedDeliveries, journals: Path, worker: str) -> bool:
    """Bring the ledger up to a journal; return whether the journal says all that its worker did."""
    is_whole = True
    try:
        changes = await asyncio.to_thread(journal.read, journals, worker)
    except journal.DamagedJournalError as error:
        log.warning("journal_damaged", reason=str(error), what_to_do="what it held may have been sent or not")
        changes, is_whole = error.changes, False
    if changes:
        log.info("journal_read", worker=worker, changes=len(changes))
        await outbox.record(changes)
    return is_whole


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Keep other processes from recovering at the same time (flock(2): the lock ends with the process)."""
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        lock = os.open(folder / "recovery.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(f"{folder}: no delivery journal can be kept: {error.strerror}") from error
    try:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)

"""What delivering writes down of each message: notes of many connections, in few transactions.

Each message has two notes: its intent, durable before it is sent, and its outcome. A connection doesn't wait for
an outcome to be written before it takes the next delivery: it waits for the intent of that one, which is written
after the outcome and so becomes durable no sooner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

import structlog

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.errors import StoreError
from newsletter.delivery.changed import Changed
from newsletter.delivery.record.joint_turns import JointTurns
from newsletter.delivery.record.journal import Journal
from newsletter.ports import ClaimedDeliveries

log = structlog.get_logger(__name__)

_PAUSES = (0.5, 1.0, 2.0, 4.0)
_LAG = 1.0  # seconds after which a note in the journal is written to the outbox, too
_SYNC_EVERY = 0.02  # seconds
_MOST_UNSYNCED = 500  # changes, at which connections wait; at half of them the disk is not kept waiting
# Changes in a transaction. PostgreSQL locks no more than the rows of their deliveries. On SQLite others can write
# in between, such as a reader who leaves: it needs 20 ms for those of a journal.
_PIECE_OF_NOTES, _PIECE_OF_JOURNAL = 2000, 1000


class Notes(Protocol):
    """Takes down what happens to deliveries, in the order in which it happens, for all chunks of a process."""

    def note(self, *changes: Change) -> None:
        """Take changes down; they are written soon."""
        ...

    async def write(self, *changes: Change) -> Collection[int]:
        """Take changes down and return when they, and all noted before them, are durable.

        Returns:
            The keys of deliveries among them whose change is known to have been left out.

        Raises:
            StoreError: the ledger could not be written.
        """
        ...

    def write_at_once(self, *changes: Change) -> bool:
        """Do as `write` does, if that takes no waiting; return whether it was done."""
        ...

    def write_soon(self, *changes: Change) -> asyncio.Future[Collection[int]] | None:
        """Take changes down and return what comes to be as `write`; None: not now, so nothing was done."""
        ...

    async def flush(self) -> None:
        """Return when the outbox itself holds what has been noted, and what could not be written before.

        Raises:
            StoreError: the ledger could not be written.
        """
        ...

    async def drain(self) -> None:
        """End: flush, and once more what could not be written before.

        Raises:
            StoreError: it could not be written.
        """
        ...


class GroupedNotes(Notes):
    """Notes changes in the ledger in groups, and writes them to the rows of their deliveries in batches.

    What arrives within one turn of the event loop, or while a group is being noted, goes into the next group.
    `batch` is how many changes make a batch. `pauses` (seconds) stand before each new attempt to write outcomes at
    the end: the database may be restarting.
    """

    def __init__(
        self, outbox: ClaimedDeliveries, worker: str, *, batch: int, pauses: Sequence[float] = _PAUSES
    ) -> None:
        self._outbox = outbox
        self._worker = worker
        self._batch = batch
        self._pauses = pauses
        self._new: list[Change] = []  # not in the ledger yet
        self._unsaved: list[Change] = []  # nor these, after a failure
        self._noted = deque[_Group]()  # that the rows don't say yet
        self._waiting = 0  # changes in them
        self._number = 0
        self._turns = JointTurns(self._note)
        self._batches = JointTurns(self._record)
        self._later: asyncio.TimerHandle | None = None

    def note(self, *changes: Change) -> None:
        """Take changes down for the next group."""
        self._new.extend(changes)
        self._turns.ask()

    async def write(self, *changes: Change) -> Collection[int]:
        """Note changes with the next group, and return the keys of those that were left out."""
        while self._waiting >= 4 * self._batch:  # the outbox can't keep up
            await asyncio.shield(self._batches.ask())
        self._new.extend(changes)
        return await asyncio.shield(self._turns.ask())

    def write_at_once(self, *changes: Change) -> bool:  # noqa: ARG002 - part of the protocol
        """Return that the ledger has to be waited for."""
        return False

    def write_soon(self, *changes: Change) -> asyncio.Future[Collection[int]] | None:
        """Note changes with the next group, unless the outbox has to be waited for."""
        if self._waiting >= 4 * self._batch:
            return None
        self._new.extend(changes)
        return self._turns.ask()

    async def flush(self) -> None:
        """Write what has been noted, and what could not be written before."""
        await asyncio.shield(self._turns.ask())  # even if there is nothing new: a group may just be noted
        await asyncio.shield(self._batches.ask())

    async def drain(self) -> None:
        """End; deliveries whose outcome can't be written will be found in flight, and be `uncertain`."""
        await self._turns.end()
        await self._batches.end()
        self._record_no_later()
        for pause in (*self._pauses, None):
            try:
                await self._record()
                if self._unsaved:
                    await self._outbox.record(self._unsaved, worker=self._worker)
            except StoreError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                self._unsaved = []
                return

    async def _note(self) -> Collection[int]:
        changes, self._new, self._unsaved = [*self._unsaved, *self._new], [], []
        if not changes:
            return ()
        self._number += 1
        number = self._number
        try:
            left_out = frozenset(await self._outbox.note(self._worker, number, changes))
        except Exception as error:
            # An intent that was not written stops its message; an outcome is a fact and is written again.
            self._unsaved += [change for change in changes if change.state is not DeliveryState.SENDING]
            log.warning("ledger_not_written", reason=str(error), changes=len(changes))
            raise
        if left_out:
            changes = [one for one in changes if one.state is not DeliveryState.SENDING or one.key not in left_out]
        self._noted.append(_Group(number, changes))
        self._waiting += len(changes)
        self._record_soon()
        return left_out

    def _record_soon(self) -> None:
        """Write to the rows what is noted when it makes a batch, or is some time old."""
        if self._waiting >= self._batch:
            self._batches.ask()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(_LAG, self._batches.ask)

    def _record_no_later(self) -> None:
        if self._later:
            self._later.cancel()
            self._later = None

    async def _record(self) -> None:
        """Write what has been noted by now to the rows, some groups in each transaction."""
        self._record_no_later()
        left = len(self._noted)
        while left:
            changes: list[Change] = []
            numbers: list[int] = []
            while len(numbers) < left and len(changes) < _PIECE_OF_NOTES:
                number, some = self._noted[len(numbers)]
                changes += some
                numbers.append(number)
            await self._outbox.record(changes, worker=self._worker, noted=numbers)
            left -= len(numbers)
            self._waiting -= len(changes)
            for _ in numbers:
                self._noted.popleft()


class _Group(NamedTuple):
    """Changes that were noted together, and the number of their note."""

    number: int
    changes: list[Change]


class JournalledNotes(Notes):
    """Writes changes to a journal at once, and to the outbox in batches; see `newsletter.delivery.record.journal`.

    `open_journal` makes the journal when there is something to write; `batch` is how many changes make a batch.
    """

    def __init__(self, outbox: ClaimedDeliveries, open_journal: Callable[[], Journal], *, batch: int) -> None:
        self._outbox = outbox
        self._open_journal = open_journal
        self._opened: Journal | None = None
        self._batch = batch
        self._noted: list[Change] = []
        self._unsynced = 0
        self._many_unsynced = Changed()
        self._syncs = JointTurns(self._sync)
        self._flushes = JointTurns(self._flush)
        self._later: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None

    def note(self, *changes: Change) -> None:
        """Write changes to the journal, and to the outbox with the next batch."""
        journal = self._journal
        self._noted.extend(changes)  # first: an outcome is a fact, even if the journal can't take it
        journal.append(changes)
        self._flush_soon()

    async def write(self, *changes: Change) -> Collection[int]:
        """Write changes to the journal. Which are left out isn't known yet, so the answer is always empty."""
        if self._failure:
            raise self._failure
        journal = self._journal
        while len(self._noted) >= 4 * self._batch or journal.is_filling:  # the outbox can't keep up
            await asyncio.shield(self._flushes.ask())
        journal.append(changes)
        self._noted.extend(changes)
        synced = self._sync_soon(len(changes))
        if self._unsynced >= _MOST_UNSYNCED:
            await asyncio.shield(synced)
        return ()

    def write_at_once(self, *changes: Change) -> bool:
        """Write changes to the journal, unless disk or outbox have to be waited for."""
        journal, noted, unsynced = self._opened or self._journal, self._noted, self._unsynced
        if self._failure or unsynced >= _MOST_UNSYNCED or journal.is_filling:
            return False
        if len(noted) >= 4 * self._batch:
            return False
        journal.append(changes)
        noted += changes
        # The disk follows for what was noted before, and so for this; and some time later the outbox does.
        if 0 < unsynced < _MOST_UNSYNCED // 2 - len(changes):
            self._unsynced = unsynced + len(changes)
        else:
            self._sync_soon(len(changes))
        if self._later is None or len(noted) >= self._batch or journal.is_filling:
            self._flush_soon()
        return True

    def write_soon(self, *changes: Change) -> None:
        """Do nothing: what `write_at_once` can't write takes waiting for the disk or the outbox."""

    def _sync_soon(self, more: int) -> asyncio.Future[None]:
        """Let the disk follow; return a future for when it has."""
        self._unsynced += more
        if self._unsynced >= _MOST_UNSYNCED // 2:
            self._many_unsynced.notify()
        return self._syncs.ask()

    def _flush_soon(self) -> None:
        """Write to the outbox what is noted when it makes a batch, or is some time old."""
        if len(self._noted) >= self._batch or self._journal.is_filling:
            self._flushes.ask()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(_LAG, self._flushes.ask)

    async def flush(self) -> None:
        """Write what has been noted to the outbox; after a failure there is no other try but `drain`."""
        await asyncio.shield(self._flushes.ask())

    async def drain(self) -> None:
        """End; if it raises, the journal stays, and recovery begins with reading it."""
        if self._opened is None:
            return
        if self._later:  # first: a flush that began while we wait below would go on after the journal is gone
            self._later.cancel()
            self._later = None
        await self._flushes.end()
        await self._syncs.end()
        try:
            await self._record_noted()
        except BaseException:
            self._opened.close()
            raise
        self._opened.remove()

    @property
    def _journal(self) -> Journal:
        if self._opened is None:
            self._opened = self._open_journal()
        return self._opened

    async def _sync(self) -> None:
        if self._unsynced < _MOST_UNSYNCED // 2:
            await self._many_unsynced.wait(_SYNC_EVERY)
        self._unsynced = 0
        try:
            await self._journal.sync()
        except Exception as error:
            self._failure = error
            raise

    async def _flush(self) -> None:
        if self._later:
            self._later.cancel()
            self._later = None
        if self._failure:
            raise self._failure
        if not self._noted:
            return
        try:
            self._journal.next_turn()
            await self._record_noted()
            self._journal.forget_last_turn()
        except Exception as error:
            self._failure = error
            log.warning("ledger_not_written", reason=str(error), changes=len(self._noted))
            raise

    async def _record_noted(self) -> None:
        """Write to the outbox what has been noted by now, piece by piece; what was not written stays noted."""
        changes, self._noted = self._noted, []
        written = 0
        try:
            while written < len(changes):
                await self._outbox.record(changes[written : written + _PIECE_OF_JOURNAL])
                written += _PIECE_OF_JOURNAL
        except BaseException:
            self._noted = changes[written:] + self._noted
            raise

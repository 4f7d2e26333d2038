"""The store in SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import override

from newsletter.ports import Store
from newsletter.store.address_changes import SqlAddressChanges
from newsletter.store.alarms import SqlAlarms
from newsletter.store.backups import SqlBackups
from newsletter.store.beats import SqlBeats
from newsletter.store.engine import Database
from newsletter.store.examples import SqlExamples
from newsletter.store.feedback import SqlFeedback
from newsletter.store.growth import SqlGrowth
from newsletter.store.halts import SqlHalts
from newsletter.store.high_water import SqlHighWater
from newsletter.store.in_use import InUse
from newsletter.store.inbound import SqlInboundEvents
from newsletter.store.issues import SqlIssues
from newsletter.store.leavings import SqlLeavings
from newsletter.store.listed import SqlListedPapers
from newsletter.store.listings import SqlLibrary
from newsletter.store.live_workers import SqlLiveWorkers
from newsletter.store.machine_texts import SqlMachineTexts
from newsletter.store.migrate import is_up_to_date
from newsletter.store.notices import SqlNotices
from newsletter.store.outbox import SqlOutbox
from newsletter.store.oversight import SqlOversight
from newsletter.store.papers import SqlPapers
from newsletter.store.personal_data import SqlPersonalData
from newsletter.store.pictures import SqlPictures
from newsletter.store.rate_leases import SqlRateLeases
from newsletter.store.relay_usage import SqlRelayUsage
from newsletter.store.restored import SqlRestored
from newsletter.store.session_workers import SessionWorkers
from newsletter.store.shared_counts import SqlSharedCounts
from newsletter.store.signups import SqlSignUps
from newsletter.store.slots import SqlSlots
from newsletter.store.slow_downs import SqlSlowDowns
from newsletter.store.subscribers import SqlSubscribers
from newsletter.store.suppressions import SqlSuppressions
from newsletter.store.tidying import SqlTidying
from newsletter.store.turns import SqlTurns
from newsletter.store.workers import FileWorkers, LocalWorkers, Workers


class SqlStore(Store):
    """The ledger in one database; `newsletter.store.open_store` opens it."""

    def __init__(self, database: Database, in_use: InUse | None = None) -> None:
        """Take a database that is up to date, and the lock that tells others that it is open."""
        self._database = database
        self._in_use = in_use
        self.library = SqlLibrary(database)
        self.papers = SqlPapers(database)
        self.listed = SqlListedPapers(database)
        self.pictures = SqlPictures(database)
        self.machine_texts = SqlMachineTexts(database)
        workers = _workers(database)
        self.issues = SqlIssues(database, workers)
        self.subscribers = SqlSubscribers(database)
        self.signups = SqlSignUps(database)
        self.leavings = SqlLeavings(database)
        self.address_changes = SqlAddressChanges(database)
        self.examples = SqlExamples(database)
        self.feedback = SqlFeedback(database)
        self.outbox = SqlOutbox(database, workers)
        self.halts = SqlHalts(database)
        self.growth = SqlGrowth(database)
        self.oversight = SqlOversight(database)
        self.relay_usage = SqlRelayUsage(database)
        self.rates = SqlRateLeases(database)
        self.slow_downs = SqlSlowDowns(database)
        self.suppressions = SqlSuppressions(database)
        self.personal_data = SqlPersonalData(database, workers)
        self.inbound = SqlInboundEvents(database)
        self.high_water = SqlHighWater(database)
        self.slots = SqlSlots(database)
        self.notices = SqlNotices(database)
        self.alarms = SqlAlarms(database)
        self.beats = SqlBeats(database)
        self.live_workers = SqlLiveWorkers(database)
        self.backups = SqlBackups(database)
        self.restored = SqlRestored(database, self.signups)
        self.shared_counts = SqlSharedCounts(database)
        self.tidying = SqlTidying(database)
        self.turns = SqlTurns(database, _folder(database))

    @override
    async def is_up_to_date(self) -> bool:
        return self._database.is_in_memory or await is_up_to_date(self._database)

    @override
    async def close(self) -> None:
        await self._database.close()
        if self._in_use is not None:
            self._in_use.release()


def _workers(database: Database) -> Workers:
    if database.is_postgresql:
        return SessionWorkers(database)
    folder = _folder(database)
    return LocalWorkers() if folder is None else FileWorkers(folder)


def _folder(database: Database) -> Path | None:
    """Return the folder for lock files, where the ledger is a file."""
    return database.path and database.path.with_name(f"{database.path.name}.workers")

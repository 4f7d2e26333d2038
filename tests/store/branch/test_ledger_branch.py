"""A ledger that lives on a branch: machines fetch it, deliver, put it back, and are forgotten at any moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.core.delivery import Change, DeliveryState, Uncertain
from newsletter.core.errors import BusyElsewhereError, ConfigurationError, StoreError
from newsletter.delivery.announced import AnnouncedDelivery
from newsletter.delivery.record.journal import Journal
from newsletter.ports import ChunkReport, Store
from newsletter.store import open_store
from newsletter.store.branch import ledger_branch
from newsletter.store.branch.git import FILE, Branch
from newsletter.store.branch.ledger_branch import LedgerBranch
from tests.delivery.fakes import NOW, message_for, reader
from tests.delivery.services import relay_to, service
from tests.delivery.stores import freeze_for
from tests.git_remote import clone, printed, refuse_pushes, remote
from tests.smtp_server import SmtpServer

SENT, QUEUED, UNCERTAIN = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.UNCERTAIN
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_branch, "_BEFORE", ())
    monkeypatch.setattr(ledger_branch, "_AFTER", ())


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as server:
        yield server


@dataclass(slots=True)
class Machine:
    """A machine with nothing on it but a clone."""

    keeper: LedgerBranch
    server: SmtpServer

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        store = await open_store(f"sqlite:///{self.keeper.ledger}")
        try:
            yield store
        finally:
            await store.close()

    async def deliver(self, issue: int, now: datetime = NOW) -> ChunkReport:
        """Deliver what is due of an issue as `run` does."""
        journals = self.keeper.ledger.with_name(f"{self.keeper.ledger.name}.journals")
        async with self.store() as store:
            hold = Uncertain.HOLD
            running = service(
                store.outbox, relay_to(self.server), uncertain=hold, clock=lambda: now, journals=journals
            )
            async with running:
                announced = AnnouncedDelivery(
                    delivery=running, keeper=self.keeper, outbox=store.outbox, clock=lambda: now
                )
                return await announced.deliver_chunk(issue, message_for)

    async def states(self, issue: int) -> dict[DeliveryState, int]:
        async with self.store() as store:
            return {state: count for state, count in (await store.outbox.counts(issue)).items() if count}


@dataclass(slots=True)
class Site:
    """The remote repository, and machines that come and go."""

    folder: Path
    repository: Path
    server: SmtpServer
    machines: int = 0

    def machine(self, *secrets: str) -> Machine:
        self.machines += 1
        folder = clone(self.repository, self.folder / f"machine{self.machines}")
        keeper = LedgerBranch(
            ledger=folder / "var" / "newsletter.db",
            state=folder / "var",
            secrets=secrets or ("the secret of the operator",),
            branch=Branch(folder, "state"),
        )
        return Machine(keeper, self.server)


@pytest.fixture
def site(tmp_path: Path, server: SmtpServer) -> Site:
    return Site(tmp_path, remote(tmp_path / "remote.git"), server)


async def begun(site: Site, readers: int = 3) -> int:
    """Let a first machine close an issue, keep the ledger and be forgotten; return the issue."""
    machine = site.machine()
    async with machine.store() as store:
        issue = await freeze_for(store, readers)
    await machine.keeper.keep()
    return issue


async def test_what_one_machine_sends_no_other_sends_again(site: Site) -> None:
    issue = await begun(site)
    first, second = site.machine(), site.machine()
    for machine in (first, second):
        assert machine.keeper.pull(now=NOW, first=False)
        await machine.deliver(issue)
        await machine.keeper.keep()

    assert site.server.copies() == {reader(number): 1 for number in (1, 2, 3)}
    assert await second.states(issue) == {SENT: 3}
    assert b"example.org" not in printed(site.repository, "cat-file", "blob", f"state:{FILE}")


async def test_what_was_sent_is_uncertain_where_the_machine_is_lost_before_it_could_say_so(site: Site) -> None:
    issue = await begun(site)
    lost = site.machine()
    lost.keeper.pull(now=NOW, first=False)
    await lost.deliver(issue)

    machine = site.machine()
    with pytest.raises(BusyElsewhereError, match=r"run again after 08:40 UTC"):
        machine.keeper.pull(now=NOW + timedelta(minutes=39), first=False)
    assert not machine.keeper.ledger.exists()
    machine.keeper.pull(now=LATER, first=False)
    report = await machine.deliver(issue, LATER)

    assert report.sent == 0
    assert await machine.states(issue) == {UNCERTAIN: 3}
    assert site.server.copies() == {reader(number): 1 for number in (1, 2, 3)}


async def test_nothing_is_sent_that_could_not_be_announced(site: Site) -> None:
    issue = await begun(site)
    machine = site.machine()
    machine.keeper.pull(now=NOW, first=False)
    refuse_pushes(site.repository, 1)

    with pytest.raises(StoreError, match="try later"):
        await machine.deliver(issue)
    assert not site.server.received

    await machine.deliver(issue)
    assert len(site.server.received) == 3


async def test_of_two_machines_at_once_one_sends(site: Site) -> None:
    issue = await begun(site)
    first, second = site.machine(), site.machine()
    for machine in (first, second):
        machine.keeper.pull(now=NOW, first=False)

    await first.deliver(issue)
    with pytest.raises(BusyElsewhereError):
        await second.deliver(issue)
    with pytest.raises(BusyElsewhereError):
        await second.keeper.keep()
    await first.keeper.keep()

    assert site.server.copies() == {reader(number): 1 for number in (1, 2, 3)}


async def test_what_becomes_due_after_it_was_looked_for_waits_for_the_next_time(site: Site) -> None:
    issue = await begun(site)  # due at NOW, less five minutes
    machine = site.machine()
    machine.keeper.pull(now=NOW, first=False)
    async with (
        machine.store() as store,
        service(store.outbox, relay_to(site.server), clock=lambda: NOW) as running,
    ):
        announced = AnnouncedDelivery(
            delivery=running, keeper=machine.keeper, outbox=store.outbox, clock=lambda: NOW - timedelta(minutes=6)
        )
        report = await announced.deliver_chunk(issue, message_for)

    assert report.sent == 0
    assert await machine.states(issue) == {QUEUED: 3}


async def test_what_is_left_when_the_announced_time_is_over_waits_for_the_next_run(site: Site) -> None:
    class Hasty(LedgerBranch):
        async def begin(self, issue_key: int, *, now: datetime) -> datetime:
            await super().begin(issue_key, now=now)
            return now + timedelta(milliseconds=100)

    issue = await begun(site, 60)
    machine = site.machine()
    machine.keeper.pull(now=NOW, first=False)
    kept = machine.keeper
    machine.keeper = Hasty(ledger=kept.ledger, state=kept.state, secrets=kept.secrets, branch=kept.branch)
    site.server.delay = 0.05

    report = await machine.deliver(issue)

    assert report.sent < 60
    assert await machine.states(issue) == {SENT: report.sent, QUEUED: 60 - report.sent}


async def test_journals_of_a_killed_process_go_with_its_ledger(site: Site) -> None:
    issue = await begun(site, 1)
    machine = site.machine()
    machine.keeper.pull(now=NOW, first=False)
    async with machine.store() as store, store.outbox.worker() as worker:
        [claimed] = await store.outbox.claim(worker, now=NOW, limit=10, issue_key=issue)
        journals = machine.keeper.ledger.with_name("newsletter.db.journals")
        journal = Journal(journals, worker)
        for state in (DeliveryState.SENDING, SENT):
            journal.append([Change(key=claimed.key, state=state, at=NOW, attempts=1)])
        journal.close()
        await machine.keeper.keep()

    another = site.machine()
    another.keeper.pull(now=NOW, first=False)
    await another.deliver(issue)

    assert await another.states(issue) == {SENT: 1}
    assert not site.server.received


async def test_a_branch_that_is_missing_is_no_new_beginning(site: Site) -> None:
    machine = site.machine()
    with pytest.raises(ConfigurationError, match=r"nobody knows what was sent.*--first"):
        machine.keeper.pull(now=NOW, first=False)

    assert not machine.keeper.pull(now=NOW, first=True)


async def test_a_ledger_that_another_key_sealed_is_not_taken(site: Site) -> None:
    await begun(site)

    with pytest.raises(ConfigurationError, match="FORMER_SECRET_KEYS"):
        site.machine("another secret of the operator").keeper.pull(now=NOW, first=False)
    assert site.machine("another secret", "the secret of the operator").keeper.pull(now=NOW, first=False)


async def test_a_ledger_that_is_here_is_put_aside(site: Site) -> None:
    issue = await begun(site)
    machine = site.machine()
    for _ in range(2):
        machine.keeper.pull(now=NOW, first=False)

    assert machine.keeper.ledger.with_name("newsletter.db.before-pull").exists()
    assert await machine.states(issue) == {QUEUED: 3}
    assert machine.keeper.ledger.stat().st_mode & 0o077 == 0


async def test_what_was_noticed_goes_with_the_ledger_and_the_secret_key_does_not(site: Site) -> None:
    await begun(site)
    machine = site.machine()
    machine.keeper.pull(now=NOW, first=False)
    (machine.keeper.state / "high-water.json").write_text("{}")
    (machine.keeper.state / "secret_key").write_text("secret")
    (machine.keeper.state / "http").mkdir()
    (machine.keeper.state / "http" / "export.arxiv.org.cooldown").write_text("[0, 1]")
    await machine.keeper.keep()

    another = site.machine()
    another.keeper.pull(now=NOW, first=False)

    found = {
        str(path.relative_to(another.keeper.state)) for path in another.keeper.state.rglob("*") if path.is_file()
    }
    assert found == {"newsletter.db", "high-water.json", "http/export.arxiv.org.cooldown"}

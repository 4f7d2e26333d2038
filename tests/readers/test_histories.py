"""Random histories of readers: files, sign-ups, leaving, bounces, complaints, erasures, imports, restores.

Whatever happens, in whatever order: nobody who left, bounced, complained or was erased is planned for or mailed
without their own later confirmation or the operator's word, and nobody who reads is forgotten.

`NEWSLETTER_TEST_HISTORIES=5000` runs so many; the suite runs a few.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, closing
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from newsletter.core.bounces import EventKind, FoundBy, InboundEvent
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.incoming import Incoming
from newsletter.core.signup import SignUpRequest
from newsletter.core.subscriber import Member, Origin, SubscriberStatus
from newsletter.core.suppression import SuppressedBy, whole_domain
from newsletter.core.syncing import LEFT
from newsletter.ports import Suppression
from newsletter.readers.exchange import Outcome, import_all
from newsletter.store import open_store
from newsletter.store.sql import SqlStore
from tests.claiming import claim
from tests.store.samples import DAY, NOW, attempt, draft, due, synced

T = TypeVar("T")

HISTORIES = int(os.environ.get("NEWSLETTER_TEST_HISTORIES", "20"))
STEPS = 40

LISTS = ("daily", "extra")
# No three of one domain: many dead addresses of a domain at once would be held (`core.dead_addresses`).
PEOPLE = ("ann@one.example", "Bob@One.example", "cid@two.example", "dot@two.example")
ALL = "*"
ACTIVE, UNSUBSCRIBED, REMOVED = SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.REMOVED

lists, people = st.sampled_from(LISTS), st.sampled_from(PEOPLE)
on = st.sampled_from((*LISTS, ALL))
targets = people | st.sampled_from(["@one.example", "@two.example"])


@dataclass
class Reader:
    """Somebody on a list, as the ledger should have them."""

    key: int
    origin: Origin
    status: SubscriberStatus = ACTIVE
    was: SubscriberStatus = ACTIVE  # when they left


@dataclass
class Truth:
    """What has happened, told another way than the ledger tells it."""

    readers: dict[tuple[str, str], Reader] = field(default_factory=dict)  # by list and person
    bars: dict[tuple[str, str], SuppressedBy] = field(
        default_factory=dict
    )  # by address or domain, and list or ALL
    erased: dict[str, bool] = field(default_factory=dict)  # whether it stays after a confirmation
    sent: list[tuple[int, str, str]] = field(default_factory=list)  # deliveries made: key, list, person
    out: dict[tuple[str, str], int] = field(default_factory=dict)  # the step at which somebody was last put out
    word: dict[tuple[str, str], int] = field(default_factory=dict)  # … at which they, or the operator, spoke

    def is_out(self, name: str, person: str) -> bool:
        return any(self.bars.get((what, where)) for what in (person, domain(person)) for where in (name, ALL))

    def gets_mail(self, name: str) -> set[str]:
        return {
            person
            for (of, person), reader in self.readers.items()
            if of == name and reader.status is ACTIVE and not self.is_out(name, person)
        }

    def of(self, person: str, where: str = ALL) -> list[Reader]:
        return [reader for (name, who), reader in self.readers.items() if who == person and where in {name, ALL}]


def domain(address: str) -> str:
    return whole_domain(address)


def affected(target: str) -> list[str]:
    return [person for person in PEOPLE if target in {person, domain(person)}]


class Histories(RuleBasedStateMachine):
    """One ledger, through whatever happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.truth = Truth()
        self.backup: tuple[sqlite3.Connection, Truth, int] | None = None
        self.copies = ExitStack()
        self.step, self.issues = 0, 0
        self.list_of = dict[int, str]()  # of issues, by key
        self.waiting = 0  # steps until the closed issue is delivered
        self.store: SqlStore = self.do(self._open())

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self.step += 1
        return self.runner.run(coroutine)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(hours=self.step)

    async def _open(self) -> SqlStore:
        store = await open_store("sqlite://")
        assert isinstance(store, SqlStore)
        return store

    def teardown(self) -> None:
        self.copies.close()
        self.do(self.store.close())
        self.runner.close()

    def put_out(self, person: str, where: str) -> None:
        for name in LISTS:
            if where in {name, ALL}:
                self.truth.out[name, person] = self.step

    def speak(self, person: str, where: str) -> None:
        for name in LISTS:
            if where in {name, ALL}:
                self.truth.word[name, person] = self.step

    def suppressed(self, target: str, where: str, by: SuppressedBy) -> None:
        """Note that an address or a domain was suppressed."""
        known = self.truth.bars.get((target, where))
        if known is None or by is SuppressedBy.OPERATOR:
            self.truth.bars[target, where] = by
        for person in affected(target):
            self.put_out(person, where)
            if person == target:
                for reader in self.truth.of(person, where):
                    reader.status = UNSUBSCRIBED

    async def learn_keys(self) -> None:
        """Take the numbers of readers from the ledger, and see that it has the readers that it should have."""
        found = {}
        for record in await self.store.subscribers.records():
            found[record.subscriber.list, record.subscriber.email] = record
        assert found.keys() == self.truth.readers.keys()
        for place, record in found.items():
            reader = self.truth.readers[place]
            reader.key = record.key
            assert (record.subscriber.status, record.subscriber.origin) == (reader.status, reader.origin), place

    @initialize()
    def begins(self) -> None:
        self.files_name(LISTS[0], set(PEOPLE))

    @invariant()
    def what_is_planned_is_delivered_after_another_step(self) -> None:
        if self.waiting == 1:
            self.deliver()
        self.waiting -= self.waiting > 0

    # What operators do.

    @rule(name=lists, named=st.sets(people))
    def files_name(self, name: str, named: set[str]) -> None:
        """A list's files are edited and applied."""
        readers = self.truth.readers
        self.do(synced(self.store, *(Member(one).on(name) for one in sorted(named)), list_name=name, now=self.now))
        for person in PEOPLE:
            reader = readers.get((name, person))
            if person in named and reader is None and person not in self.truth.erased:
                readers[name, person] = Reader(0, Origin.FILE)
            elif reader is not None and reader.origin is Origin.FILE and reader.status is not UNSUBSCRIBED:
                reader.status = ACTIVE if person in named else REMOVED
        self.do(self.learn_keys())

    @rule(name=lists, person=people)
    def operator_adds(self, name: str, person: str) -> None:
        reader = self.truth.readers.get((name, person))
        barred = self.truth.is_out(name, person) or person in self.truth.erased
        try:
            added = self.do(self.store.subscribers.add(name, Member(person), Origin.COMMAND, now=self.now))
        except UsageError:
            assert barred
            return
        assert not barred
        assert added == (reader is None or reader.status is REMOVED)
        if added:
            self.truth.readers[name, person] = Reader(0, Origin.COMMAND)
        self.do(self.learn_keys())

    @rule(
        name=lists,
        rows=st.dictionaries(people, st.sampled_from(["", "", "unsubscribed", "bounced", "complained"])),
    )
    def operator_imports(self, name: str, rows: dict[str, str]) -> None:
        """Another program's export is imported."""
        people = [Incoming(line, Member(one), barred=why) for line, (one, why) in enumerate(rows.items(), 2)]
        found = self.do(import_all(self.store, name, people, of_file="old.csv", now=self.now))
        for one in people:
            if one.barred:
                where = name if one.barred == "unsubscribed" else ALL
                self.suppressed(one.member.email, where, SuppressedBy.IMPORT)
        for imported in found:
            barred = self.truth.is_out(name, imported.email) or imported.email in self.truth.erased
            if imported.outcome is Outcome.ADDED:
                assert not barred
                self.truth.readers[name, imported.email] = Reader(0, Origin.IMPORT)
            elif imported.outcome is Outcome.KNOWN:
                assert (name, imported.email) in self.truth.readers
            else:
                assert barred
        self.do(self.learn_keys())

    @rule(what=targets, where=on)
    def operator_suppresses(self, what: str, where: str) -> None:
        one = Suppression(address=what, list=None if where == ALL else where, reason="no", since=self.now)
        self.do(self.store.suppressions.add([one], now=self.now))
        self.suppressed(what, where, SuppressedBy.OPERATOR)

    @rule(data=st.data(), other=st.tuples(targets, on))
    def operator_lifts(self, data: st.DataObject, other: tuple[str, str]) -> None:
        """A suppression is lifted, or one that is not there."""
        erased = [(person, ALL) for person in self.truth.erased]
        self.lift(*data.draw(st.sampled_from([*sorted(self.truth.bars), *sorted(erased), other])))

    @rule()
    def operator_lifts_all(self) -> None:
        """Whoever looks for the next trouble begins anew: in most histories hardly anybody would be left."""
        for what, where in [*self.truth.bars, *((person, ALL) for person in self.truth.erased)]:
            if (what, where) in self.truth.bars or (where == ALL and what in self.truth.erased):
                self.lift(what, where)

    def lift(self, what: str, where: str) -> None:
        list_name = None if where == ALL else where
        is_erased = where == ALL and what in self.truth.erased
        try:
            self.do(self.store.suppressions.lift([what], list_name=list_name, now=self.now))
        except UsageError:
            assert (what, where) not in self.truth.bars
            assert not is_erased
            return
        assert is_erased or (what, where) in self.truth.bars
        self.truth.bars.pop((what, where), None)
        if where == ALL:
            self.truth.erased.pop(what, None)
        for person in affected(what):
            self.speak(person, where)
        for (name, person), reader in self.truth.readers.items():
            is_theirs = person == what and where in {name, ALL}
            left = {(person, name), (person, ALL)} & self.truth.bars.keys()
            if is_theirs and reader.status is UNSUBSCRIBED and not left:
                reader.status = ACTIVE
        self.do(self.learn_keys())

    @rule(person=people)
    def operator_erases(self, person: str) -> None:
        truth, other_spelling = self.truth, person.upper()
        stays = truth.bars.get((person, ALL)) is SuppressedBy.OPERATOR
        self.do(self.store.personal_data.erase(other_spelling, now=self.now))
        truth.erased[person] = truth.erased.get(person, False) or stays
        truth.bars = {place: by for place, by in truth.bars.items() if place[0] != person}
        truth.readers = {place: reader for place, reader in truth.readers.items() if place[1] != person}
        truth.sent = [(key, name, "" if who == person else who) for key, name, who in truth.sent]
        self.put_out(person, ALL)
        known = self.do(self.store.personal_data.known(person)).rows
        assert [one for rows in known.values() for one in rows if one.get("address") != domain(person)] == []
        self.do(self.learn_keys())

    @rule()
    def operator_backs_up(self) -> None:
        copy = self.copies.enter_context(closing(self.do(_copy_of(self.store))))
        self.backup = (copy, deepcopy(self.truth), self.issues)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def operator_restores(self) -> None:
        """An older copy takes the ledger's place: what happened since is unknown, as the operator is told."""
        assert self.backup is not None
        copy, truth, self.issues = self.backup
        self.do(_put_back(self.store, copy))
        self.truth = deepcopy(truth)

    # What readers do.

    @rule(name=lists, person=people)
    def somebody_asks(self, name: str, person: str) -> None:
        """Somebody signs an address up, and nobody confirms it."""
        self.do(self.store.signups.ask(name, SignUpRequest(email=person), client="192.0.2.1", now=self.now))

    @rule(name=lists, person=people)
    def reader_confirms(self, name: str, person: str) -> None:
        truth, member = self.truth, Member(person, "By web")
        done = self.do(self.store.subscribers.return_by_confirmation(name, member, now=self.now))
        places = [(what, where) for what in (person, domain(person)) for where in (name, ALL)]
        bars = {place: truth.bars[place] for place in places if place in truth.bars}
        if any(by is SuppressedBy.OPERATOR for by in bars.values()) or truth.erased.get(person):
            assert (done.key, done.is_news) == (None, False)
            return
        assert done.barred is None
        for other in LISTS:
            if other != name and (reader := truth.readers.get((other, person))) and (person, ALL) in bars:
                truth.bars.setdefault((person, other), bars[person, ALL])
                reader.status = UNSUBSCRIBED
            elif other == name or (other, person) not in truth.readers:
                self.speak(person, other)
        for place in bars:
            del truth.bars[place]
        truth.erased.pop(person, None)
        reader = truth.readers.get((name, person))
        assert done.is_news == (bool(bars) or reader is None or reader.status is not ACTIVE)
        if done.is_news:
            truth.readers[name, person] = Reader(0, Origin.WEB)
        self.do(self.learn_keys())

    @rule(name=lists, person=people)
    def reader_leaves(self, name: str, person: str) -> None:
        reader = self.truth.readers.get((name, person))
        if reader is None:
            return
        left = self.do(self.store.subscribers.leave(reader.key, reason=LEFT, now=self.now))
        assert left is not None
        assert left.is_news == ((person, name) not in self.truth.bars)
        if left.is_news:
            reader.was = reader.status
        self.suppressed(person, name, SuppressedBy.READER)

    @rule(name=lists, person=people)
    def reader_takes_it_back(self, name: str, person: str) -> None:
        reader = self.truth.readers.get((name, person))
        leaving = reader and self.do(self.store.leavings.last(reader.key))
        if reader is None or leaving is None:
            return
        assert self.truth.bars.pop((person, name)) is SuppressedBy.READER
        assert self.do(self.store.leavings.undo(leaving.key, now=self.now)) is not None
        if (person, ALL) not in self.truth.bars:
            reader.status = REMOVED if reader.was is REMOVED else ACTIVE
            self.speak(person, name)
        self.do(self.learn_keys())

    @precondition(lambda self: self.truth.sent)
    @rule(data=st.data(), kind=st.sampled_from([EventKind.HARD, EventKind.COMPLAINT, EventKind.UNSUBSCRIBE]))
    def something_comes_back(self, data: st.DataObject, kind: EventKind) -> None:
        """A message bounces, or its reader complains, or leaves by mail."""
        key, name, person = data.draw(st.sampled_from(self.truth.sent))
        event = InboundEvent(
            id=str(self.step), source="mail", kind=kind, delivery_key=key, found_by=FoundBy.ENVELOPE, text=person
        )
        self.do(self.store.inbound.take([event], now=self.now))
        assert self.do(self.store.suppressions.judge(now=self.now)) == []
        if person:  # else they were erased since, and nobody knows whose it was
            leaves = kind is EventKind.UNSUBSCRIBE
            reader = self.truth.readers[name, person]
            if leaves and (person, name) not in self.truth.bars:
                reader.was = reader.status
            by = SuppressedBy.READER if leaves else SuppressedBy.INBOUND
            self.suppressed(person, name if leaves else ALL, by)
        self.do(self.learn_keys())

    # What the program does.

    @rule(name=lists)
    def an_issue_is_closed(self, name: str) -> None:
        self.issues += 1
        day = DAY + timedelta(days=self.issues)
        made = draft(day=day, number=self.issues, list_name=name)
        issue, _ = self.do(self.store.issues.freeze(made, "Papers", due(self.now), now=self.now))
        self.list_of[issue.key] = name
        queued = self.do(self.store.outbox.records(list_name=name, day=day, states=[DeliveryState.QUEUED]))
        self.check(name, {one.email for one in queued})
        assert {one.email for one in queued} == self.truth.gets_mail(name)

        self.waiting = 3

    def deliver(self) -> None:
        for name, person, key in self.do(self._deliver()):
            self.check(name, {person})
            assert person in self.truth.gets_mail(name)
            self.truth.sent.append((key, name, person))

    async def _deliver(self) -> list[tuple[str, str, int]]:
        async with self.store.outbox.worker() as worker:
            claimed = await claim(self.store.outbox, worker, now=self.now, limit=100)
            for one in claimed:
                await attempt(self.store, one, DeliveryState.SENT, at=self.now)
        return [(self.list_of[one.issue_key], one.subscriber.email, one.key) for one in claimed]

    def check(self, name: str, mailed: set[str]) -> None:
        """See that whoever is mailed has said so, or the operator has, since they were last put out."""
        for person in mailed:
            put_out = self.truth.out.get((name, person))
            assert put_out is None or self.truth.word.get((name, person), -1) > put_out, (name, person)


async def _with_sqlite(store: SqlStore, act: Callable[[sqlite3.Connection], None]) -> None:
    """Do something with the ledger's own connection, in its thread."""
    async with store._database.writer.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver._execute(lambda: act(driver._conn))


async def _copy_of(store: SqlStore) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    await _with_sqlite(store, lambda opened: opened.backup(copy))
    return copy


async def _put_back(store: SqlStore, copy: sqlite3.Connection) -> None:
    await _with_sqlite(store, copy.backup)


Histories.TestCase.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
# A failure takes minutes to be made small.
TestHistories = pytest.mark.timeout(600 + HISTORIES)(Histories.TestCase)

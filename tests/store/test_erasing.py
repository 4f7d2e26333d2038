"""Erasing a person: the data are gone, a hash keeps files and commands from bringing them back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.core.delivery import DeliveryState, begun
from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import StoreError, UsageError
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import Follow
from newsletter.core.signup import SignUpRequest
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import Barred
from newsletter.ports import Store, Suppression
from newsletter.store.engine import Database
from newsletter.store.personal_tables import PERSONAL_TABLES
from newsletter.store.tables import metadata
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import (
    DAY,
    HOUR,
    LIST,
    NOW,
    attempt,
    draft,
    due,
    frozen,
    join,
    key_of,
    keys,
    of_list,
    outcome,
    paper,
    record,
    subscriber,
    synced,
)

ANN = Member("Ann@Example.org", "Ann Example", ("agents",))
LATER = NOW + timedelta(days=3)
SECRET, NEXT_SECRET = AddressHashes(("one",)), AddressHashes(("two", "one"))


async def everything(store: Store) -> str:
    """Return all that stands in the ledger."""
    database: Database = store._database  # type: ignore[attr-defined]
    async with database.read() as connection:
        rows = [(await connection.execute(sa.select(table))).all() for table in metadata.tables.values()]
    return repr(rows)


async def full(store: Store) -> None:
    """Let a person be known in all ways: on two lists, one left, one with an issue sent and one waiting."""
    wishes: dict[str, Any] = {
        "follows": (Follow.written("author: Jane Doe"),),
        "interest": "ann's own words",
        "name": ANN.name,
    }
    wishes |= {"examples": (GivenPaper(arxiv_id="2501.12345"),), "email": ANN.email, "timezone": "Asia/Tokyo"}
    await join(store, subscriber(**wishes), subscriber(email=ANN.email, list_name="other"), subscriber(2))
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    ann = await key_of(store, LIST, ANN.email)
    await store.feedback.say(ann, listing, liked=True, now=NOW)
    for number in (1, 2):
        await frozen(store, day=DAY + timedelta(days=number), number=number)
        async with store.outbox.worker() as worker:
            for one in await claim(store.outbox, worker, now=NOW, limit=10):
                if number == 1:
                    text = f"2.0.0 <{one.subscriber.email.lower()}> taken"
                    await attempt(store, one, DeliveryState.SENT, code=250, text=text)
    assert await store.address_changes.ask(ann, "ann@example.net", now=NOW)
    request = SignUpRequest(email=ANN.email, name=ANN.name, topics=("agents",), cadence=None)
    await store.signups.ask("third", request, client="192.0.2.7", now=NOW)
    await store.subscribers.leave(await key_of(store, "other", ANN.email), reason="unsubscribed", now=NOW)
    await store.subscribers.suppress(ANN.email, list_name="other", reason="no mail", now=NOW, evidence="said Ann")


async def test_nothing_of_a_person_is_left_and_the_counts_of_issues_stay(store: Store) -> None:
    await full(store)
    [sent] = [one for one in await store.issues.history(LIST, limit=9) if one.number == 1]
    before = await everything(store)
    assert {part for part in ("ann", "Ann", "Jane Doe", "2501.12345", "Tokyo") if part in before} != set()

    done = await store.personal_data.erase("ann@example.org", now=LATER)

    after = await everything(store)
    assert [part for part in ("ann@", "Ann", "ann's", "Jane Doe", "2501.12345", "Tokyo") if part in after] == []
    assert {name: count for name, count in done.rows.items() if count} == {
        "suppressions": 1,
        "feedback": 1,
        "deliveries": 2,
        "delivery_events": 3,
        "leavings": 1,
        "address_changes": 1,
        "signups": 1,
        "subscribers": 2,
    }
    assert [one for one in await store.issues.history(LIST, limit=9) if one.number == 1] == [sent]
    withdrawn = await store.outbox.records(states=[DeliveryState.WITHDRAWN])
    assert [(one.email, one.reason) for one in withdrawn] == [("", "suppressed")]
    assert {one.email for one in await of_list(store)} == {"", "reader2@example.org"}


async def test_erased_rows_are_as_blank_as_a_new_subscriber(store: Store) -> None:
    """A new column of subscribers must be named in `personal_tables`."""
    await full(store)
    await store.personal_data.erase(ANN.email, now=LATER)

    [gone] = [one for one in await of_list(store) if not one.email]

    assert gone == Subscriber(list=LIST, email="", status=SubscriberStatus.REMOVED)


def test_all_tables_that_name_persons_are_among_those_that_are_told_and_erased() -> None:
    personal = {
        table.name
        for table in metadata.tables.values()
        if {"address_key", "email", "address", "subscriber_key", "delivery_key"} & set(table.c.keys())
    }
    assert personal == {each.table.name for each in PERSONAL_TABLES}


async def test_erasing_twice_changes_nothing_more(store: Store) -> None:
    await full(store)
    first = await store.personal_data.erase(ANN.email, now=NOW)
    known = await everything(store)

    again = await store.personal_data.erase(ANN.email, now=LATER)

    assert (first.is_news, again.is_news) == (True, False)
    assert again.since == first.since == NOW
    assert await everything(store) == known


async def test_neither_file_nor_import_nor_command_brings_an_erased_person_back(store: Store) -> None:
    await synced(store, replace(ANN.on(LIST), origin=Origin.FILE), subscriber(2))
    await store.personal_data.erase(ANN.email, now=NOW)

    counts = await synced(store, ANN.on(LIST), subscriber(2), subscriber(3))
    assert (counts.added, counts.removed, counts.unchanged) == (1, 0, 2)
    barred = {ANN.address_key: Barred("erased", NOW)}
    assert await store.subscribers.add_all(LIST, [ANN], Origin.IMPORT, now=NOW) == barred
    assert await store.subscribers.left_out("other", [ANN]) == barred
    with pytest.raises(UsageError, match="gets no mail of daily: erased 2026-03-02"):
        await store.subscribers.add(LIST, ANN, Origin.COMMAND, now=NOW)
    assert ANN.address_key in await store.subscribers.barred("other")
    assert {one.email for one in await of_list(store)} == {"", "reader2@example.org", "reader3@example.org"}


async def test_who_is_erased_while_files_are_compared_is_not_brought_back(opened: Opener) -> None:
    store, other = await opened(), await opened()
    await synced(store, ANN.on(LIST), subscriber(2))
    changed = [ANN._replace(name="Another"), Member("reader3@example.org")]

    async with store.subscribers.compare(LIST, changed) as comparison:
        assert (comparison.counts.changed, comparison.counts.added) == (1, 1)
        await other.personal_data.erase(ANN.email, now=NOW)
        counts = await comparison.apply(None, now=LATER)

    assert (counts.changed, counts.added, counts.unchanged) == (0, 1, 1)
    assert "Another" not in await everything(store)


async def test_an_erased_person_comes_back_by_confirming_and_by_the_operators_word(store: Store) -> None:
    for bring_back in (
        lambda: store.subscribers.return_by_confirmation(LIST, ANN, now=LATER),
        lambda: store.suppressions.lift([ANN.email], list_name=None, now=LATER),
    ):
        await store.personal_data.erase(ANN.email, now=NOW)
        assert await store.personal_data.erased_since(ANN.email) == NOW
        await bring_back()
        assert await store.personal_data.erased_since(ANN.email) is None

    await store.subscribers.add(LIST, ANN, Origin.COMMAND, now=LATER)
    [back] = [one for one in await store.subscribers.records(list_name=LIST) if one.barred is None]
    assert back.subscriber.email == ANN.email


async def test_whom_the_operator_had_suppressed_does_not_come_back_by_being_erased(store: Store) -> None:
    ban = Suppression(address=ANN.email, list=None, reason="spammer", since=NOW, by=SuppressedBy.OPERATOR)
    await store.suppressions.add([ban], now=NOW)
    await store.personal_data.erase(ANN.email, now=NOW)

    done = await store.subscribers.return_by_confirmation(LIST, ANN, now=LATER)

    assert (done.key, done.barred) == (None, Barred("erased", NOW))
    assert await store.subscribers.records() == []


async def test_a_delivery_in_flight_brings_no_word_of_the_relay_back(store: Store) -> None:
    await join(store, subscriber(email=ANN.email))
    await store.issues.freeze(draft(), "Papers", due(), now=NOW)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.outbox.record([begun(claimed, NOW)])
        await store.personal_data.erase(ANN.email, now=NOW)
        refused = outcome(claimed, DeliveryState.REFUSED, code=550, text="no ann@example.org", dead_address=True)
        assert await store.outbox.record([refused]) == frozenset()

    [record_] = await store.outbox.records()
    assert (record_.email, record_.state, record_.code, record_.text) == ("", DeliveryState.REFUSED, 550, "")
    assert await store.suppressions.judge(now=NOW) == []
    assert await store.suppressions.find() == []


async def test_a_link_of_an_erased_reader_leads_nowhere(store: Store) -> None:
    await join(store, subscriber(email=ANN.email))
    number = await key_of(store, LIST, ANN.email)
    await store.personal_data.erase(ANN.email, now=NOW)

    assert await store.subscribers.by_key(number) is None
    assert await store.subscribers.leave(number, reason="unsubscribed", now=NOW) is None
    assert (await store.subscribers.records(), await store.subscribers.number()) == ([], 0)


async def test_a_person_is_not_erased_while_an_issue_of_their_list_is_being_closed(opened: Opener) -> None:
    store, other = await opened(), await opened()
    await join(store, subscriber(email=ANN.email), subscriber(email="bob@example.org", list_name="other"))
    told = []

    def plan(*_: object) -> object:
        told.append("planned")
        return due()(None, frozenset())  # type: ignore[arg-type]

    database: Database = store._database  # type: ignore[attr-defined]
    async with store.outbox.worker() as worker:
        await store.issues.freeze(draft(), "Papers", plan, now=NOW)  # type: ignore[arg-type]
        half = sa.text("UPDATE issues SET closing_by = :worker")
        async with database.write() as connection:
            await connection.execute(half, {"worker": worker})
        with pytest.raises(StoreError, match="an issue of daily is being closed just now: run it"):
            await other.personal_data.erase(ANN.email, now=NOW)
        await other.personal_data.erase("bob@example.org", now=NOW)  # of another list

    await other.personal_data.erase(ANN.email, now=NOW)  # its worker is dead
    assert "ann@" not in await everything(store)


async def test_after_the_secret_has_changed_the_former_one_recognises_who_was_erased(
    open_at: Opener, url: str
) -> None:
    before = await open_at(url, hashes=SECRET)
    await before.personal_data.erase(ANN.email, now=NOW)
    after, forgotten = await open_at(url, hashes=NEXT_SECRET), await open_at(url, hashes=AddressHashes(("two",)))

    assert await after.personal_data.erased_since(ANN.email) == NOW
    assert (await after.personal_data.erase(ANN.email, now=LATER)).since == NOW
    assert await forgotten.personal_data.erased_since(ANN.email) is None
    assert [await one.personal_data.unrecognised() for one in (before, after, forgotten)] == [0, 0, 1]


async def test_what_was_erased_does_not_stand_in_the_file(tmp_path: Path, open_at: Opener) -> None:
    path = tmp_path / "newsletter.db"
    store = await open_at(f"sqlite:///{path}")
    await full(store)
    await store.personal_data.erase(ANN.email, now=LATER)
    await store.close()

    content = path.read_bytes().lower()
    assert b"reader2@example.org" in content
    assert b"ann@example.org" not in content


async def test_what_is_known_of_a_person_is_told(store: Store) -> None:
    await full(store)
    await store.suppressions.add(
        [Suppression(address="@example.org", list=None, reason="closed", since=NOW + HOUR)], now=NOW
    )

    known = (await store.personal_data.known("ann@example.org")).rows

    assert list(known) == [each.heading for each in PERSONAL_TABLES if each.told]
    assert {name: len(rows) for name, rows in known.items()} == {
        "suppressions": 2,
        "called_dead": 0,
        "feedback": 1,
        "deliveries": 2,
        "delivery_steps": 2,
        "leavings": 1,
        "address_changes": 1,
        "sign_ups": 1,
        "sign_up_mails": 0,
        "inbound_events": 0,
        "notices": 0,
    }
    assert [(one["address"], one["list"], one["by"], one["evidence"]) for one in known["suppressions"]] == [
        ("@example.org", None, "operator", ""),
        ("ann@example.org", "other", "operator", "said Ann"),
    ]
    assert [(one["list"], one["liked"], one["paper"]) for one in known["feedback"]] == [
        (LIST, True, paper(1).title)
    ]
    assert [(one["day"], one["subject"], one["state"]) for one in known["deliveries"]] == [
        (DAY + timedelta(days=2), "Papers", "queued"),
        (DAY + timedelta(days=1), "Papers", "sent"),
    ]
    assert known["delivery_steps"][0]["text"] == "2.0.0 <ann@example.org> taken"
    assert not (await store.personal_data.known("bob@example.net")).is_anything

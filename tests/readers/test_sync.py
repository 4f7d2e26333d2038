"""A file manages the people whom it brought, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus
from newsletter.core.syncing import SyncCounts
from newsletter.ports import Store
from newsletter.readers.sync import sync
from newsletter.store import open_store
from tests import examples, factories
from tests.pipeline.parts import THURSDAY, MakeDesk, ScriptedSource
from tests.rosters import list_file
from tests.store.samples import NOW, join, of_list

LIST = NewsletterList(masthead=factories.masthead(), sources=("huggingface",))
ACTIVE, UNSUBSCRIBED, REMOVED = SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.REMOVED
OTHERS = [Origin.WEB, Origin.IMPORT, Origin.COMMAND]


def reader(who: str, **wishes: object) -> Subscriber:
    return Subscriber(**{"list": LIST.name, "email": f"{who}@example.org", **wishes})  # type: ignore[arg-type]


async def synced(store: Store, *named: Subscriber) -> SyncCounts:
    return await sync(store.subscribers, list_file(LIST, named), now=NOW, allow_mass_removal=True)


async def joined(store: Store, one: Subscriber) -> None:
    await join(store, one)


@pytest.mark.parametrize("origin", OTHERS)
async def test_who_came_otherwise_keeps_their_wishes_while_in_the_file_and_stays_after(
    store: Store, origin: Origin
) -> None:
    ann = reader("ann", cadence=Cadence.WEEKLY, topics=("vision",), origin=origin)
    await joined(store, ann)

    counts = await synced(store, reader("ann", name="Ann", topics=("agents",)))
    assert counts == SyncCounts(unchanged=1)
    assert await of_list(store, LIST.name) == [ann]

    assert await synced(store) == SyncCounts()
    assert await of_list(store, LIST.name) == [ann]


async def test_a_run_keeps_who_signed_up_and_sends_them_their_issue(desk_with: MakeDesk) -> None:
    days = [THURSDAY + timedelta(days=offset) for offset in range(3)]
    desk = desk_with(ScriptedSource(pages={day: [f"Paper of {day}"] for day in days}))
    await joined(desk.store, reader("bob", name="Bob", origin=Origin.WEB))

    desk.subscribe("bob", cadence=Cadence.WEEKLY)
    await desk.run(days[0])
    del desk.readers["bob"]
    await desk.run(days[1])

    assert len(desk.mails("bob")) == 2
    [bob] = [one for one in await of_list(desk.store, LIST.name) if one.email == "bob@example.org"]
    assert (bob.name, bob.cadence, bob.status, bob.origin) == ("Bob", None, ACTIVE, Origin.WEB)


@dataclass(frozen=True)
class Filed:
    """The list's file is saved with these people, and a run syncs it."""

    people: tuple[Subscriber, ...]


@dataclass(frozen=True)
class Joins:
    """Somebody signs up, is imported or added by command."""

    one: Subscriber


@dataclass(frozen=True)
class Leaves:
    """Somebody unsubscribes."""

    email: str


Event = Filed | Joins | Leaves
names = st.sampled_from(["ann", "bob", "Ann", "cleo", "dora"])
people = st.builds(
    reader, names, name=st.sampled_from("AB"), cadence=st.sampled_from([None, Cadence.DAILY, Cadence.WEEKLY])
)
histories = st.lists(
    st.builds(Filed, st.lists(people, unique_by=lambda one: one.address_key, max_size=4).map(tuple))
    | st.builds(Joins, st.builds(lambda one, origin: replace(one, origin=origin), people, st.sampled_from(OTHERS)))
    | st.builds(Leaves, names.map("{}@example.org".format)),
    max_size=12,
)


def expected(history: Sequence[Event]) -> dict[str, Subscriber]:
    """Return who stands in the store after a history, by address, as the rule of origins has it."""
    known: dict[str, Subscriber] = {}
    for event in history:
        match event:
            case Joins(one):
                known.setdefault(one.address_key, one)
            case Leaves(email):
                key = email.lower()
                if key in known:
                    known[key] = replace(known[key], status=UNSUBSCRIBED)
            case Filed(people):
                file = {one.address_key: one for one in people}
                for key, one in known.items():
                    if one.origin is Origin.FILE and one.status is not UNSUBSCRIBED:
                        known[key] = file.get(key, replace(one, status=REMOVED))
                for key, one in file.items():
                    known.setdefault(key, one)
    return known


async def lived(history: Sequence[Event]) -> dict[str, Subscriber]:
    """Return who stands in a store that lived through a history, by address."""
    store = await open_store("sqlite://")
    try:
        for event in history:
            match event:
                case Joins(one):
                    await joined_if_new(store, one)
                case Leaves(email):
                    await store.subscribers.suppress(email, list_name=LIST.name, reason="left", now=NOW)
                case Filed(people):
                    await synced(store, *people)
        return {one.address_key: one for one in await of_list(store, LIST.name)}
    finally:
        await store.close()


async def joined_if_new(store: Store, one: Subscriber) -> None:
    """Let somebody join who is not known yet."""
    if one.address_key not in {known.address_key for known in await of_list(store, LIST.name)}:
        await joined(store, one)


@settings(max_examples=examples.slow(40))
@given(histories)
def test_no_history_of_files_changes_or_removes_who_signed_up(history: list[Event]) -> None:
    assert asyncio.run(lived(history)) == expected(history)

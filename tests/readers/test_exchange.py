"""Who comes from another program is added once; who left, there or here, gets no mail."""

from __future__ import annotations

import pytest

from newsletter.core.incoming import Incoming
from newsletter.core.subscriber import Member, Origin
from newsletter.ports import Store
from newsletter.readers.exchange import Imported, Outcome, import_all
from tests.store.samples import LIST, NOW, join, of_list, subscriber


def person(line: int, name: str, **outcome: str) -> Incoming:
    return Incoming(line, Member(f"{name}@lab.example"), **outcome)


PEOPLE = [
    person(2, "ann"),
    person(3, "bob", barred="unsubscribed"),
    person(4, "cid", barred="bounced"),
    person(5, "dee", skipped="was not confirmed there"),
    person(6, "eve"),
    person(7, "fay"),
]


@pytest.mark.parametrize("rehearsal", [True, False])
async def test_what_becomes_of_each_person_is_said(store: Store, rehearsal: bool) -> None:
    await store.subscribers.suppress("eve@lab.example", list_name=LIST, reason="unsubscribed", now=NOW)
    await join(store, subscriber("fay", email="fay@lab.example"))

    found = await import_all(store, LIST, PEOPLE, of_file="old.csv", now=NOW, rehearsal=rehearsal)

    assert found == [
        Imported(2, "ann@lab.example", Outcome.ADDED),
        Imported(3, "bob@lab.example", Outcome.SUPPRESSED, "unsubscribed"),
        Imported(4, "cid@lab.example", Outcome.SUPPRESSED, "bounced"),
        Imported(5, "dee@lab.example", Outcome.SKIPPED, "was not confirmed there"),
        Imported(6, "eve@lab.example", Outcome.STAYS_OUT, f"unsubscribed {NOW:%F}"),
        Imported(7, "fay@lab.example", Outcome.KNOWN, "is on the list already"),
    ]
    added = [one.email for one in await of_list(store) if one.origin is Origin.IMPORT]
    assert added == ([] if rehearsal else ["ann@lab.example"])
    suppressed = {(one.address, one.list) for one in await store.suppressions.find()}
    news = {("bob@lab.example", LIST), ("cid@lab.example", None)}
    assert suppressed == {("eve@lab.example", LIST)} | (set() if rehearsal else news)


async def test_an_import_may_be_done_again_and_in_another_order(store: Store) -> None:
    await import_all(store, LIST, [person(2, "ann", barred="unsubscribed")], of_file="old.csv", now=NOW)
    [again] = await import_all(store, LIST, [person(2, "ann")], of_file="old.csv", now=NOW)
    assert again.outcome is Outcome.STAYS_OUT
    assert await of_list(store) == []

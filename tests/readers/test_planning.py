"""A plan says what a sync would change, person by person; and nobody is removed by the score unasked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import MassRemovalError
from newsletter.core.newsletter_list import Cadence
from newsletter.core.syncing import ChangeKind, SyncCounts
from newsletter.lists.files import ListFiles
from newsletter.ports import ListFile, Store, Suppression
from newsletter.readers.planning import SyncPlan, plan
from newsletter.readers.sync import check, sync
from tests.store.samples import NOW, of_list

LATER = NOW + timedelta(days=1)


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


class Writer:
    """Writes the files of a list anew and reads them as a process does that starts then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *rows: str, own: str = "") -> ListFile:
        padded = (row + "," * (3 - row.count(",")) for row in rows)
        (self.folder / "daily.csv").write_text("\n".join(("email,name,topics,cadence", *padded, "")))
        (self.folder / "daily.toml").write_text(
            'title = "T"\nsender = "t@example.org"\nsources = ["huggingface"]\nmembers = "daily.csv"\n'
            '[topics.agents]\nkeywords = ["agent"]\n' + own
        )
        return ListFiles(self.folder, check_source=lambda _: "").load()["daily"]


def lines(found: SyncPlan) -> list[str]:
    return [f"{one.kind} {one.email}: {one.reason}" for one in found.changes]


async def test_a_plan_names_each_person_with_the_reason(store: Store, write: Writer) -> None:
    names = ("ann", "bob", "cid", "dee", "eve")
    await sync(store.subscribers, write(*(f"{name}@x.example" for name in names)), now=NOW)
    await sync(store.subscribers, write(*(f"{name}@x.example" for name in names if name != "cid")), now=LATER)
    await store.subscribers.suppress("eve@x.example", list_name="daily", reason="unsubscribed", now=LATER)

    file = write(
        "ann@x.example,Ann,agents,weekly", "bob@x.example", "cid@x.example", "eve@x.example", "Fay@x.example"
    )
    found = await plan(store.subscribers, file, limit=10)

    assert lines(found) == [
        "add Fay@x.example: new in the files",
        "change ann@x.example: name: '' → 'Ann'; topics: none → agents; cadence: the list's → weekly",
        f"reactivate cid@x.example: removed {LATER:%F}, and in the files again",
        "remove dee@x.example: no longer in the files",
        f"stays out eve@x.example: unsubscribed {LATER:%F}",
    ]
    assert found.counts == SyncCounts(added=1, changed=1, reactivated=1, removed=1, unchanged=2)
    assert await sync(store.subscribers, file, now=LATER) == found.counts


async def test_a_plan_changes_nothing_and_after_a_sync_there_is_nothing_to_do(store: Store, write: Writer) -> None:
    file = write("ann@x.example", "bob@x.example")
    for _ in range(2):
        assert (await plan(store.subscribers, file, limit=9)).counts == SyncCounts(added=2)
    assert await of_list(store) == []
    await sync(store.subscribers, file, now=NOW)
    found = await plan(store.subscribers, file, limit=9)
    assert (found.counts, found.changes) == (SyncCounts(unchanged=2), ())


async def test_who_left_is_named_although_the_files_are_the_same(store: Store, write: Writer) -> None:
    own = '[[subscribers]]\nemail = "own@x.example"\n'
    file = write("ann@x.example", "Bob@X.example", "cid@x.example", own=own)
    await sync(store.subscribers, file, now=NOW)
    await store.subscribers.suppress("own@x.example", list_name="daily", reason="unsubscribed", now=NOW)
    dead = Suppression(address="bob@x.example", list=None, reason="no such user", since=LATER)
    other = Suppression(address="cid@x.example", list="other", reason="unsubscribed", since=LATER)
    nobody = Suppression(address="nobody@x.example", list=None, reason="complained", since=LATER)
    await store.suppressions.add([dead, other, nobody], now=LATER)

    found = await plan(store.subscribers, file, limit=1)

    assert lines(found) == [f"stays out own@x.example: unsubscribed {NOW:%F}"]
    assert (found.staying_out, found.left_out) == (2, 1)


async def test_a_plan_names_no_more_people_than_are_asked_for_and_counts_the_rest(
    store: Store, write: Writer
) -> None:
    file = write(*(f"r{number}@x.example" for number in range(10)))
    found = await plan(store.subscribers, file, limit=3)
    assert [one.email for one in found.changes] == ["r0@x.example", "r1@x.example", "r2@x.example"]
    assert (found.numbers[ChangeKind.ADD], found.left_out) == (10, 7)


async def test_many_are_not_removed_unasked_and_the_files_wait_for_the_operators_word(
    store: Store, write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"r{number}@x.example" for number in range(10)]
    await sync(store.subscribers, write(*people), now=NOW)
    file = write(*people[3:], "new@x.example")
    for _ in range(2):
        with pytest.raises(MassRemovalError, match=r"daily\.csv:1: names 3 of 10 readers no longer"):
            await sync(store.subscribers, file, now=NOW)
        with pytest.raises(MassRemovalError):
            await check(store.subscribers, file)
        monkeypatch.setattr(type(file.roster), "reading", None)  # what is held is not read again
    monkeypatch.undo()
    assert {one.status for one in await of_list(store)} == {"active"}
    assert len(await of_list(store)) == 10

    counts = await sync(store.subscribers, file, now=NOW, allow_mass_removal=True)

    assert counts == SyncCounts(added=1, removed=3, unchanged=7)
    assert await store.subscribers.held_files("daily") is None


async def test_files_that_are_completed_are_applied_by_themselves(store: Store, write: Writer) -> None:
    people = [f"r{number}@x.example" for number in range(10)]
    await sync(store.subscribers, write(*people), now=NOW)
    with pytest.raises(MassRemovalError):
        await sync(store.subscribers, write(*people[:5]), now=NOW)
    assert await sync(store.subscribers, write(*people[1:], "new@x.example"), now=NOW) == SyncCounts(
        added=1, removed=1, unchanged=9
    )
    assert await store.subscribers.held_files("daily") is None


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_single_person_or_a_fifth_may_always_go(removed: int, present: int) -> None:
    counts = SyncCounts(removed=removed, present=max(removed, present))
    assert counts.removes_many == (removed > 1 and 5 * removed > counts.present)


async def test_a_cadence_is_shown_by_its_word(store: Store, write: Writer) -> None:
    await sync(store.subscribers, write("ann@x.example,,,daily"), now=NOW)
    found = await plan(store.subscribers, write("ann@x.example,,,weekly"), limit=1)
    assert lines(found) == [f"change ann@x.example: cadence: {Cadence.DAILY} → {Cadence.WEEKLY}"]

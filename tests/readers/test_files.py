"""Files are synced when they have changed, and only then; what is wrong or half written changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from newsletter.core.errors import FileChangedError, ListFileError
from newsletter.core.subscriber import Member
from newsletter.core.syncing import SyncCounts
from newsletter.lists.files import ListFiles
from newsletter.lists.lines import Lines
from newsletter.ports import ListFile, Reading, SeenFiles, Store
from newsletter.readers.sync import check, is_synced, sync
from newsletter.store import open_store
from tests.rosters import Named
from tests.store.samples import NOW, of_list

LIST = """title = "T"
sender = "t@example.org"
sources = ["huggingface"]
members = "people.csv"
"""


@dataclass
class Folder:
    path: Path
    reads: list[str] = field(default_factory=list)
    begun: Event = field(default_factory=Event)

    def write(self, *names: str, title: str = "T") -> ListFile:
        """Write the files, and return what a process that starts now reads of them."""
        (self.path / "daily.toml").write_text(LIST.replace('"T"', f'"{title}"'))
        (self.path / "people.csv").write_text("email\n" + "".join(f"{name}@example.org\n" for name in names))
        return self.file

    @property
    def file(self) -> ListFile:
        return ListFiles(self.path, check_source=lambda _: "").load()["daily"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    found = Folder(tmp_path)
    iterate = Lines.__iter__

    def noting(self: Lines) -> Iterator[str]:
        found.reads.append(self._path.name)
        found.begun.set()
        return iterate(self)

    monkeypatch.setattr(Lines, "__iter__", noting)
    return found


async def emails(store: Store) -> list[str]:
    return [one.email.partition("@")[0] for one in await of_list(store) if one.status == "active"]


async def test_files_are_read_at_the_first_sync_and_again_when_they_change(store: Store, folder: Folder) -> None:
    assert await sync(store.subscribers, folder.write("ann", "bob"), now=NOW) == SyncCounts(added=2)
    assert await sync(store.subscribers, folder.file, now=NOW) == SyncCounts(unchanged=2)
    assert folder.reads == ["people.csv"]
    assert await sync(store.subscribers, folder.write("ann", "cid"), now=NOW) == SyncCounts(
        added=1, removed=1, unchanged=1
    )
    assert folder.reads == ["people.csv"] * 2
    assert await emails(store) == ["ann", "cid"]


async def test_another_title_is_no_reason_to_read_the_members(store: Store, folder: Folder) -> None:
    await sync(store.subscribers, folder.write("ann"), now=NOW)
    assert await sync(store.subscribers, folder.write("ann", title="Other"), now=NOW) == SyncCounts(unchanged=1)
    assert folder.reads == ["people.csv"]


async def test_once_a_file_has_settled_its_stamp_is_enough(
    store: Store, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.lists import roster, stamps

    await sync(store.subscribers, folder.write("ann"), now=NOW)
    seen = await store.subscribers.synced_files("daily")
    assert seen is not None
    assert seen.stamp == ""
    monkeypatch.setattr(stamps, "_COARSE_NS", -(10**18))
    await sync(store.subscribers, folder.file, now=NOW)
    monkeypatch.setattr(roster, "digest_of", None)  # it can't be hashed any more
    assert await sync(store.subscribers, folder.file, now=NOW) == SyncCounts(unchanged=1)


async def test_a_wrong_file_changes_nothing_and_is_found_again(store: Store, folder: Folder) -> None:
    await sync(store.subscribers, folder.write("ann"), now=NOW)
    file = folder.write("ann", "bob", "b o b")
    for _ in range(2):
        with pytest.raises(ListFileError, match=r"people\.csv:4: email: "):
            await sync(store.subscribers, file, now=NOW)
        assert not await is_synced(store.subscribers, file)
        with pytest.raises(ListFileError, match=r"people\.csv:4: email: "):
            await check(store.subscribers, file)
    assert await emails(store) == ["ann"]
    assert await sync(store.subscribers, folder.write("ann"), now=NOW) == SyncCounts(unchanged=1)


async def test_a_check_of_files_that_are_synced_reads_none(store: Store, folder: Folder) -> None:
    file = folder.write("ann")
    await check(store.subscribers, file)
    await sync(store.subscribers, file, now=NOW)
    del folder.reads[:]
    await check(store.subscribers, folder.file)
    assert folder.reads == []


async def test_the_files_of_one_list_say_nothing_of_another(store: Store, folder: Folder) -> None:
    await sync(store.subscribers, folder.write("ann"), now=NOW)
    (folder.path / "other.toml").write_text(LIST)
    other = ListFiles(folder.path, check_source=lambda _: "").load()["other"]
    assert not await is_synced(store.subscribers, other)
    assert await sync(store.subscribers, other, now=NOW) == SyncCounts(added=1)


class Changing(Named):
    """Files that are written to while they are read, some times."""

    def __init__(self, times: int) -> None:
        super().__init__(())
        self.times = times

    def reading(self) -> Reading:
        return self

    def __iter__(self) -> Iterator[Member]:
        yield Member(f"half{self.times}@example.org")
        if self.times:
            self.times -= 1
            raise FileChangedError(())

    def as_seen(self, seen: SeenFiles) -> SeenFiles | None:
        return None


@pytest.mark.parametrize("times", [2, 3])
async def test_files_that_change_are_read_again_a_few_times(store: Store, folder: Folder, times: int) -> None:
    file = ListFile(list=folder.write().list, roster=Changing(times))
    if times == 2:
        assert await sync(store.subscribers, file, now=NOW) == SyncCounts(added=1)
        assert await emails(store) == ["half0"]
    else:
        with pytest.raises(FileChangedError):
            await sync(store.subscribers, file, now=NOW)
        assert await emails(store) == []


async def test_a_sync_that_was_killed_is_done_by_the_next(folder: Folder, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    store = await open_store(url)
    file = folder.write(*(f"r{number}" for number in range(20_000)))
    work = asyncio.create_task(sync(store.subscribers, file, now=NOW))
    async with asyncio.timeout(30):
        await asyncio.to_thread(folder.begun.wait)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await of_list(store) == []
    assert await sync(store.subscribers, file, now=NOW) == SyncCounts(added=20_000)
    await store.close()

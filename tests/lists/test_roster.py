"""Whom files name is read when it is asked for, in a stream, and again only when they have changed."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from newsletter.core.errors import FileChangedError, ListFileError
from newsletter.lists.files import ListFiles
from newsletter.lists.lines import Lines
from newsletter.ports import Checked, Roster, SeenFiles

LIST = """title = "T"
sender = "t@example.org"
sources = ["huggingface"]
members = "people.csv"
[topics.agents]
keywords = ["agent"]
[[subscribers]]
email = "first@example.org"
"""
OLD = time.time() - 3600


class Folder:
    """A list and its members file."""

    def __init__(self, path: Path) -> None:
        self.toml, self.csv = path / "daily.toml", path / "people.csv"
        self.files = ListFiles(path, check_source=lambda _: "")
        self.write_list(LIST)
        self.write("email\nann@example.org\n")

    def write_list(self, text: str) -> None:
        self.toml.write_text(text)

    def write(self, text: str, *, at: float | None = OLD) -> None:
        """Write the members file; at: the time that it then shows, None: the present."""
        self.csv.write_text(text)
        if at is not None:
            os.utime(self.csv, (at, at))

    @property
    def roster(self) -> Roster:
        return self.files.load()["daily"].roster

    def seen(self) -> SeenFiles:
        reading = self.roster.reading()
        list(reading)
        return reading.seen


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of members files that are parsed, as they are."""
    names: list[str] = []
    iterate = Lines.__iter__

    def noting(self: Lines) -> Iterator[str]:
        names.append(self._path.name)
        return iterate(self)

    monkeypatch.setattr(Lines, "__iter__", noting)
    return names


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of files whose content is hashed, as it is."""
    from newsletter.lists import lines, roster

    names: list[str] = []
    digest_of = lines.digest_of

    def noting(path: Path) -> str:
        names.append(path.name)
        return digest_of(path)

    monkeypatch.setattr(roster, "digest_of", noting)
    return names


@pytest.fixture
def settles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files settle at once: no test waits two seconds."""
    from newsletter.lists import stamps

    monkeypatch.setattr(stamps, "_COARSE_NS", -(10**18))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_reading_lists_reads_no_members(folder: Folder, reads: list[str], hashed: list[str]) -> None:
    folder.write("?")
    assert sorted(folder.files.read().right) == ["daily"]
    assert (reads, hashed) == ([], [])


def test_the_first_few_are_found_without_reading_all(folder: Folder) -> None:
    folder.write("email\n" + "".join(f"r{number}@example.org\n" for number in range(200_000)))
    tracemalloc.start()
    try:
        assert [one.email for one in islice(folder.roster.reading(), 2)] == ["first@example.org", "r0@example.org"]
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_the_memory_that_a_long_list_takes_is_some_bytes_a_member(folder: Folder) -> None:
    def peak(count: int) -> int:
        folder.write("email,name\n" + "".join(f"r{number}@example.org,R {number}\n" for number in range(count)))
        roster = folder.roster
        tracemalloc.start()
        try:
            assert sum(1 for _ in roster.reading()) == count + 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(60_000) - peak(20_000) < 40_000 * 20


def test_files_that_were_not_touched_are_not_read_at_all(
    folder: Folder, settles: None, reads: list[str], hashed: list[str]
) -> None:
    seen = folder.seen()
    assert seen.members == 2
    del reads[:]
    assert folder.roster.as_seen(seen) == seen
    assert (reads, hashed) == ([], [])


def test_a_file_that_was_touched_is_hashed_once_and_not_parsed(
    folder: Folder, settles: None, reads: list[str], hashed: list[str]
) -> None:
    seen = folder.seen()
    folder.write(folder.csv.read_text(), at=OLD + 1)
    del reads[:]
    again = folder.roster.as_seen(seen)
    assert again is not None
    assert (again.digest, again.stamp != seen.stamp) == (seen.digest, True)
    assert folder.roster.as_seen(seen) == again
    assert (reads, hashed) == ([], ["people.csv"])


def test_the_content_decides_about_a_file_that_was_written_just_before_it_was_read(
    folder: Folder, hashed: list[str]
) -> None:
    folder.write("email\nann@example.org\n", at=None)
    seen = folder.seen()
    assert seen.stamp == ""
    assert folder.roster.as_seen(seen) == seen
    written = folder.csv.stat().st_mtime_ns
    folder.csv.write_text("email\nbob@example.org\n")
    os.utime(folder.csv, ns=(written, written))  # as a clock does that is too coarse to show it
    assert folder.roster.as_seen(seen) is None
    assert hashed == ["people.csv"] * 2


def test_a_file_that_was_young_when_its_reading_began_is_not_trusted_however_long_that_took(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.lists import stamps

    folder.write("email\nann@example.org\n", at=None)
    reading = folder.roster.reading()
    rows = iter(reading)
    next(rows)
    next(rows)
    monkeypatch.setattr(stamps, "_COARSE_NS", -(10**18))  # as if it were long ago by now
    list(rows)
    assert reading.seen.stamp == ""


def test_a_change_that_leaves_size_and_time_of_writing_as_they_were_is_seen(folder: Folder, settles: None) -> None:
    seen = folder.seen()
    folder.write("email\nbob@example.org\n")
    assert folder.csv.stat().st_mtime == OLD
    assert folder.roster.as_seen(seen) is None


def test_a_file_of_another_size_is_known_to_have_changed_without_reading_it(
    folder: Folder, settles: None, hashed: list[str]
) -> None:
    seen = folder.seen()
    folder.write("email\nann@example.org\nbob@example.org\n")
    assert folder.roster.as_seen(seen) is None
    folder.csv.unlink()
    assert folder.files.read().wrong
    assert hashed == []


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ('title = "T"', 'title = "Another"', True),
        ('keywords = ["agent"]', 'keywords = ["agents"]', True),
        ("[topics.agents]", "[topics.robots]", False),
        ("first@example.org", "other@example.org", False),
        ('"first@example.org"', '"first@example.org"\nname = "First"', False),
        ('members = "people.csv"\n', "", False),
    ],
)
def test_what_a_list_file_says_of_its_members_counts_and_nothing_else(
    folder: Folder, settles: None, old: str, new: str, is_same: bool
) -> None:
    seen = folder.seen()
    folder.write_list(LIST.replace(old, new))
    assert (folder.roster.as_seen(seen) == seen) is is_same


def test_a_list_without_members_file_is_the_same_while_its_own_file_is(folder: Folder) -> None:
    folder.write_list(LIST.replace('members = "people.csv"\n', ""))
    seen = folder.seen()
    assert (seen.members, seen.stamp, seen.digest) == (1, "", "")
    assert folder.roster.as_seen(seen) == seen
    assert folder.roster.check() == Checked(members=1, cadences=frozenset())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("email,cadence\nann@example.org,weekly\n", "members=2, cadences=frozenset({<Cadence.WEEKLY"),
        ("email\nann\n", "people.csv:2: email: 'ann' is not a mail address"),
    ],
    ids=["right", "wrong"],
)
def test_what_a_check_found_is_kept_until_the_file_changes(
    folder: Folder, settles: None, reads: list[str], text: str, expected: str
) -> None:
    def checked() -> str:
        try:
            return str(folder.roster.check())
        except ListFileError as error:
            return str(error)

    folder.write(text)
    found = checked()
    assert expected in found
    assert checked() == found
    folder.write(text, at=OLD + 1)
    assert checked() == found
    assert len(reads) == 1
    folder.write("email\nbob@example.org\n")
    assert checked() == str(Checked(members=2, cadences=frozenset()))
    assert len(reads) == 2


def test_a_file_that_is_written_to_while_it_is_read_is_not_trusted(folder: Folder) -> None:
    rows = iter(folder.roster.reading())
    next(rows)
    next(rows)
    folder.write("email\nann@example.org\nbob@example.org\n", at=OLD + 1)
    with pytest.raises(FileChangedError, match=r"people\.csv:1: was written to while it was read"):
        list(rows)


def test_mistakes_in_half_of_a_file_are_no_mistakes(folder: Folder) -> None:
    folder.write("email\nann@example.org\nbob@exa")
    rows = iter(folder.roster.reading())
    next(rows)
    next(rows)
    folder.write("email\nann@example.org\nbob@example.org\n", at=OLD + 1)
    with pytest.raises(FileChangedError):
        list(rows)


def test_a_check_reads_again_what_changes_meanwhile_but_not_for_ever(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    changes = 2
    blocks = Lines._blocks

    def changing(self: Lines) -> Iterator[bytes]:
        nonlocal changes
        yield from blocks(self)
        if changes:
            changes -= 1
            folder.write(f"email\nann{changes}@example.org\n", at=OLD + changes)

    monkeypatch.setattr(Lines, "_blocks", changing)
    assert folder.roster.check().members == 2
    assert len(reads) == 3
    changes = 3
    folder.write("email\n")
    with pytest.raises(FileChangedError):
        folder.roster.check()


def test_of_a_file_full_of_mistakes_the_first_thousand_are_named(folder: Folder) -> None:
    folder.write("email\n" + "x\n" * 5000)
    with pytest.raises(ListFileError) as caught:
        folder.files.check()
    mistakes = caught.value.mistakes
    assert len(mistakes) == 1001
    assert [mistake.line for mistake in mistakes] == list(range(2, 1003))
    assert mistakes[-1].message == "more than 1,000 mistakes: those from here on are not named"


def test_rows_that_do_not_fit_are_mistakes_up_to_a_thousand_too(folder: Folder) -> None:
    folder.write("email,name\n" + "a@example.org\n" * 5000)
    with pytest.raises(ListFileError) as caught:
        folder.files.check()
    assert len(caught.value.mistakes) == 1001


def test_no_member_is_yielded_after_a_mistake(folder: Folder) -> None:
    folder.write("email\nann@example.org\nx\nbob@example.org\n")
    reading = iter(folder.roster.reading())
    assert [next(reading).email, next(reading).email] == ["first@example.org", "ann@example.org"]
    with pytest.raises(ListFileError):
        next(reading)


def test_who_is_named_twice_far_apart_is_found_with_both_lines(folder: Folder) -> None:
    rows = [f"r{number}@example.org" for number in range(5000)]
    rows[4000], rows[4500] = "R17@Example.org", "FIRST@example.org"
    folder.write("email\n" + "\n".join(rows))
    with pytest.raises(ListFileError) as caught:
        folder.files.check()
    found = [(mistake.line, mistake.message) for mistake in caught.value.mistakes]
    assert found == [
        (4002, "R17@example.org is on the list already, in line 19: remove one of the two"),
        (4502, f"FIRST@example.org is on the list already, in {folder.toml}:8: remove one of the two"),
    ]


def test_addresses_whose_hashes_collide_are_two(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.lists import members, roster

    for module in (members, roster):
        monkeypatch.setattr(module, "hash", lambda _: 7, raising=False)
    folder.write("email\nann@example.org\nbob@example.org\n")
    assert folder.roster.check().members == 3
    folder.write("email\nann@example.org\nbob@example.org\nbob@example.org\n")
    with pytest.raises(ListFileError, match=r"people\.csv:4: bob@example.org is on the list already, in line 3"):
        folder.roster.check()


def test_a_members_file_that_moved_out_of_the_folder_is_wrong_when_it_is_read(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    roster = folder.roster
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "people.csv"
    folder.csv.rename(elsewhere)
    folder.csv.symlink_to(elsewhere)
    with pytest.raises(ListFileError, match=r"daily\.toml:4: members: 'people\.csv' lies outside"):
        roster.check()

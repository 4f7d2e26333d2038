"""List files are read again when they change, and only then; a wrong one keeps no other back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.core.errors import ListFileError, UsageError
from newsletter.lists import files, reader
from newsletter.lists.files import ListFiles
from tests.rosters import named_by

LIST = 'title = "Papers"\nsender = "papers@example.org"\nsources = ["huggingface"]\n'


class Counted(ListFiles):
    """List files that note the names of those which are read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, check_source=lambda _: "")
        self.seen: list[str] = []
        read = reader.read_list_file

        def noting(path: Path, *others: object) -> object:
            self.seen.append(path.stem)
            return read(path, *others)  # type: ignore[arg-type]

        monkeypatch.setattr(files, "read_list_file", noting)


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Return the files of two lists, of which one has its members in a file of its own."""
    (tmp_path / "ann.toml").write_text(LIST)
    (tmp_path / "bob.toml").write_text('members = "bob.csv"\n' + LIST)
    (tmp_path / "bob.csv").write_text("email\nbob@example.org\n")
    return Counted(tmp_path, monkeypatch)


def test_files_that_stay_as_they_are_are_read_once(lists: Counted) -> None:
    assert lists.read().right == lists.read().right
    assert sorted(lists.seen) == ["ann", "bob"]


def test_a_file_that_changes_is_read_again_alone(lists: Counted) -> None:
    lists.read()
    path = lists.folder / "ann.toml"
    path.write_text(LIST.replace("Papers", "Papera"))
    os.utime(path, ns=(1, 1))  # of the same size, and older than it was
    assert lists.read().right["ann"].list.masthead.title == "Papera"
    assert sorted(lists.seen) == ["ann", "ann", "bob"]


def test_a_members_file_that_comes_or_goes_is_seen_and_one_that_changes_is_left_to_its_reader(
    lists: Counted,
) -> None:
    members = lists.folder / "bob.csv"
    lists.read()
    members.write_text("email\nbob@example.org\nben@example.org\n")
    assert len(named_by(lists.read().right["bob"])) == 2
    members.unlink()
    assert "there is no file" in str(lists.read().wrong["bob"])
    assert "there is no file" in str(lists.read().wrong["bob"])
    members.write_text("email\nbob@example.org\n")
    assert len(named_by(lists.read().right["bob"])) == 1
    assert lists.seen.count("bob") == 3


def test_a_list_that_comes_or_goes_is_seen(lists: Counted) -> None:
    lists.read()
    (lists.folder / "cat.toml").write_text(LIST)
    (lists.folder / "ann.toml").unlink()
    assert sorted(lists.read().right) == ["bob", "cat"]


def test_a_wrong_file_keeps_no_other_back_until_it_is_right(lists: Counted) -> None:
    path = lists.folder / "ann.toml"
    path.write_text("zone = 1\n" + LIST)
    for _ in range(2):
        loaded = lists.read()
        assert sorted(loaded.right) == ["bob"]
        assert [mistake.line for mistake in loaded.wrong["ann"].mistakes] == [1]
    with pytest.raises(ListFileError, match=r"ann\.toml:1: "):
        lists.load()
    path.write_text(LIST)
    assert sorted(lists.load()) == ["ann", "bob"]


def test_a_file_under_a_name_that_no_list_may_have_is_wrong(lists: Counted) -> None:
    (lists.folder / "unsubscribe.toml").write_text(LIST)
    (lists.folder / "Big.toml").write_text(LIST)
    assert sorted(lists.read().wrong) == ["Big", "unsubscribe"]


def test_lists_are_found_by_their_names(lists: Counted) -> None:
    (lists.folder / "cat.toml").write_text("?")
    loaded = lists.read()
    assert loaded.named("ann").list.name == "ann"
    with pytest.raises(ListFileError, match=r"cat\.toml:1: "):
        loaded.named("cat")
    with pytest.raises(UsageError, match="there is no list 'dan'; there are: ann, bob, cat"):
        loaded.named("dan")

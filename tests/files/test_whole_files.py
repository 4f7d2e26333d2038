"""Files are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.whole_files import write_whole


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_comes_in_place_of_the_old_one(tmp_path: Path, *, durable: bool) -> None:
    path = tmp_path / "folder" / "file.json"
    for content in (b"old", b"new"):
        write_whole(path, content, durable=durable)
        assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == ["file.json"]


def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    write_whole(path, b"old")

    def fsync(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(path, b"new", durable=True)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file.json", b"old")]

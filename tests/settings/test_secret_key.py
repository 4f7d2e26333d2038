"""The key that is made once and kept."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.settings.secret_key import kept_key


def test_a_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret_key"
    key = kept_key(path)
    assert len(key) == 43
    assert kept_key(path) == key == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret_key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: kept_key(path), range(64)))
    assert len(keys) == 1
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"x", "has 1 characters"),
        (b"fifteen letters", "has 15 characters"),
        (b"\0" * 43, "holds no readable text"),
        (b"a" * 43, "is one letter again and again"),
        (b"\xff\xfe" * 20, "holds no readable text"),
    ],
)
def test_a_file_that_holds_no_key_is_named_and_left_as_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "secret_key"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        kept_key(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_key_that_an_operator_wrote_counts_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("a key of my own, chosen by dice\n")
    assert kept_key(tmp_path / "secret_key") == "a key of my own, chosen by dice\n"


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "secret_key", Path("/proc/newsletter/secret_key")):
        with pytest.raises(ConfigurationError, match=r"cannot be kept: .*; set NEWSLETTER_WEB__SECRET_KEY"):
            kept_key(path)
    (tmp_path / "link").symlink_to(tmp_path / "not mounted")
    with pytest.raises(ConfigurationError, match="No such file"):
        kept_key(tmp_path / "link")


def test_what_is_kept_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "var" / "secret_key", []

    def fsync(descriptor: int, real: object = os.fsync) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path.exists()))
        real(descriptor)  # type: ignore[operator]

    monkeypatch.setattr(os, "fsync", fsync)
    kept_key(path)
    (content, named), *folders = synced
    assert content.startswith(f"{path}.")
    assert not named
    assert folders == [(str(path.parent), True), (str(tmp_path), True)]

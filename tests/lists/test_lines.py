"""Long files are read line by line, whatever they hold, and take little memory."""

from __future__ import annotations

import io
import os
import tracemalloc
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.errors import ListFileError
from newsletter.lists import lines
from newsletter.lists.examples import ExampleFiles
from newsletter.lists.lines import LONGEST_ROW, Lines, digest_of
from newsletter.lists.members import MembersFile

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
texts = st.text(st.sampled_from('ab"ü,🙂\n\r\x0b\u2028'), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, st.integers(1, 9), st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]))
def test_lines_are_those_of_the_text_wherever_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, block: int, encoding: str
) -> None:
    monkeypatch.setattr(lines, "_BLOCK", block)
    path = tmp_path / "x.csv"
    path.write_bytes(("\ufeff" * encoding.startswith("utf-16") + text).encode(encoding))
    read = Lines(path)
    assert list(read) == list(io.StringIO(text, newline=""))
    assert read.digest.hexdigest() == digest_of(path) == blake2b(path.read_bytes(), digest_size=16).hexdigest()


@given(st.binary(max_size=30).filter(lambda some: some[:2] not in UTF_16), st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_no_utf_8_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, block: int
) -> None:
    monkeypatch.setattr(lines, "_BLOCK", block)
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        with pytest.raises(ListFileError) as caught:
            list(Lines(path))
        assert [mistake.line for mistake in caught.value.mistakes] == [line]
    else:
        list(Lines(path))


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ListFileError, match=r"x\.csv:1: cannot be read: No such file"):
        list(Lines(tmp_path / "x.csv"))


def test_a_line_without_end_is_a_mistake_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"email\n")
    os.truncate(path, 300_000_000)  # zeros, which take no room on the disk
    tracemalloc.start()
    try:
        with pytest.raises(ListFileError, match=r"x\.csv:2: is longer than 1,048,576 characters"):
            list(Lines(path))
        assert tracemalloc.get_traced_memory()[1] < 10 * LONGEST_ROW
    finally:
        tracemalloc.stop()


def test_a_row_over_many_lines_is_a_mistake_before_it_fills_the_memory(tmp_path: Path) -> None:
    file = MembersFile(tmp_path / "x.csv", (), (), ExampleFiles(tmp_path))
    endless = ("email\n", '"a\n', *('","a\n' for _ in range(400_000)))
    tracemalloc.start()
    try:
        assert list(file.read(iter(endless))) == []
        assert tracemalloc.get_traced_memory()[1] < 40 * LONGEST_ROW
    finally:
        tracemalloc.stop()
    [mistake] = file.mistakes
    assert (mistake.line, mistake.message) == (
        2,
        "is not valid CSV from here on: a row is longer than 1,048,576 characters",
    )

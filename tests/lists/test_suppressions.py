from __future__ import annotations

import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import ListFileError
from newsletter.core.suppression import SuppressedBy
from newsletter.lists.suppressions import begin_suppressions, read_suppressions, write_suppressions
from newsletter.ports import Suppression

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)

local_parts = st.text("abz019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
reasons = st.text(
    st.characters(min_codepoint=32, exclude_categories=["C", "Z"]) | st.sampled_from("'=+-@,;\""),
    min_size=1,
    max_size=30,
)
suppressions = st.builds(
    Suppression,
    address=local_parts.map(lambda local: f"{local}@example.org") | st.just("@example.org"),
    list=st.none() | st.sampled_from(["daily", "2-weekly"]),
    reason=reasons,
    by=st.sampled_from(SuppressedBy),
    evidence=st.just("") | reasons,
    since=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


def read(content: str | bytes, list_name: str | None = None) -> list[Suppression]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stop.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_suppressions(path, list_name=list_name, reason="imported", now=NOW))


def mistakes(content: str | bytes) -> list[int]:
    with pytest.raises(ListFileError) as told:
        read(content)
    return [mistake.line for mistake in told.value.mistakes]


@given(st.lists(suppressions, max_size=5))
def test_what_is_written_is_read_back_and_no_cell_is_a_formula(written: list[Suppression]) -> None:
    file = io.StringIO()
    begin_suppressions(file)
    write_suppressions(written, file)

    assert read(file.getvalue()) == written
    for line in file.getvalue().splitlines():
        assert not line.startswith(("=", "+", "-", "@", '"=', '"+', '"-', '"@'))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_its_mistakes_are_named(content: bytes) -> None:
    named = True
    try:
        read(content)
    except ListFileError as error:
        named = bool(error.mistakes)

    assert named


def test_rows_take_what_they_do_not_say_from_the_command() -> None:
    [one] = read("address\nAnn@example.org\n", list_name="daily")

    assert (one.address, one.list, one.reason, one.since) == ("Ann@example.org", "daily", "imported", NOW)
    assert (one.by, one.evidence) == (SuppressedBy.OPERATOR, "stop.csv, line 2")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("", [1]),
        ("ann@example.org\n", [1]),
        ("address,adress\n", [1]),
        ("address,email\na@example.org,b@example.org\n", [1]),
        ("address,list\nann@example.org\n\nbob@example.org,daily,more\n", [2, 4]),
        ("address\nann@\n=cmd@example\n@example\n@.org\n", [2, 3, 4, 5]),
        ("address,by\nann@example.org,somebody\n", [2]),
        ("address,since\nann@example.org,31.12.2025\n", [2]),
        ("address,since\nann@example.org,0001-01-01T00:00:00+23:59\n", [2]),
        ("address,list\nann@example.org,../daily\n", [2]),
        ('address\n"ann@example.org\n', [2]),
        (b"address\nann\xff@example.org\n", [2]),
    ],
)
def test_each_mistake_is_named_by_its_line(content: str | bytes, lines: list[int]) -> None:
    assert mistakes(content) == lines


@pytest.mark.parametrize(
    "content",
    [
        "Address;List\nann@example.org;daily\n",
        "E-Mail\tList\t\nann@example.org\tdaily\t\n\t\t\n",
        "sep=;\naddress;list\nann@example.org;daily\n",
    ],
)
def test_files_are_read_as_spreadsheets_save_them(content: str) -> None:
    [one] = read(content)
    assert (one.address, one.list) == ("ann@example.org", "daily")

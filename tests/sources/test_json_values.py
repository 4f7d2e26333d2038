from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.reading.file_text import UNREADABLE
from newsletter.sources.reading.json_values import Mistake, Value, values

A, B = {"title": "A"}, {"title": "B", "authors": ["Ann", "Bob"]}
SHAPES = {
    "lines": f"{json.dumps(A)}\n{json.dumps(B)}\n",
    "no last line end": f"{json.dumps(A)}\n{json.dumps(B)}",
    "blank lines": f"\n\n{json.dumps(A)}\n\n  {json.dumps(B)}  \n\n",
    "an array on one line": json.dumps([A, B]),
    "an array over lines": json.dumps([A, B], indent=2),
    "an array a line": f"{json.dumps([A])}\n{json.dumps([B])}\n",
    "objects over lines": f"{json.dumps(A, indent=2)}\n{json.dumps(B, indent=4)}\n",
    "wrapped": json.dumps({"date": "2026-03-12", "papers": [A, B], "total": 2}),
    "wrapped over lines": json.dumps({"data": [A, B]}, indent=1),
    "wrapped with an empty list": json.dumps({"errors": [], "results": [A, B]}),
}


def objects(text: str) -> list[object]:
    return [entry.value for entry in values(text) if isinstance(entry, Value)]


def mistakes(text: str) -> list[Mistake]:
    return [entry for entry in values(text) if isinstance(entry, Mistake)]


@pytest.mark.parametrize("shape", SHAPES)
def test_objects_are_found_in_whatever_shape(shape: str) -> None:
    assert objects(SHAPES[shape]) == [A, B]
    assert not mistakes(SHAPES[shape])


@pytest.mark.parametrize("text", ["", "\n", "[]", '{"papers": []}'])
def test_a_file_without_papers_is_empty(text: str) -> None:
    assert list(values(text)) == []


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('{"title": "A"},\n{"title": "B"}', 1, "a comma after an object"),
        ('{"title": "A",}\n{"title": "B"}', 1, "a comma with nothing after it"),
        ('[\n {"title": "A"},\n]\n{"title": "B"}', 1, "a comma with nothing after it in line"),
        ('{\n "title": "A",\n}\n{"title": "B"}', 1, "a comma with nothing after it in line"),
        ('{"title": "A"} {"title": "A"}\n{"title": "B"}', 1, "more text after an object"),
        ('{"title": "A\n{"title": "B"}', 1, "not JSON"),
        ("{'title': 'A'}\n" + '{"title": "B"}', 1, "not JSON"),
        ('title: A\n{"title": "B"}', 1, "not JSON"),
        ('{"title"\n{"title": "B"}', 1, "not JSON"),
    ],
)
def test_a_mistake_costs_its_object_and_is_told_with_its_line(text: str, line: int, what: str) -> None:
    assert objects(text) == [{"title": "B"}]
    (mistake,) = mistakes(text)
    assert mistake.line == line
    assert what in mistake.reason


def test_a_web_page_is_called_one() -> None:
    assert "a web page" in mistakes("<!doctype html>\n<p>x</p>")[0].reason


def test_a_line_that_could_not_be_read_is_told_elsewhere() -> None:
    assert list(values(f'{UNREADABLE}\n{{"title": "A"}}')) == [Value(2, A)]


@pytest.mark.parametrize("line", ["[", "{", '{"a":', "x", "[" * 500, '{"a": 1},'])
def test_a_file_of_mistakes_ends_soon(line: str) -> None:
    began = time.perf_counter()
    found = mistakes(f"{line}\n" * 100_000)
    assert time.perf_counter() - began < 5
    assert len(found) <= 101
    assert found[-1].reason.startswith(("the rest is left out", "it is JSON nested", "it is not JSON"))


@given(st.text())
def test_any_text_gives_values_and_mistakes_in_the_order_of_its_lines(text: str) -> None:
    lines = [found.line for found in values(text)]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.fixed_dictionaries({"title": st.text()}, optional={"more": jsons})), st.sampled_from([None, 2]))
def test_what_was_written_is_read(records: list[dict[str, Any]], indent: int | None) -> None:
    for text in (
        "\n".join(json.dumps(entry, indent=indent) for entry in records),
        json.dumps(records, indent=indent),
        json.dumps({"papers": records}, indent=indent),
    ):
        assert objects(text) == records

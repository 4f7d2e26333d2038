from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lists.positions import DEEPEST, KeyPath, positions

# Generated documents hold this wherever an integer shall tell the line on which it stands.
HERE = "§"
GAPS = ("", " ", "\n", " # ] } , \" '\n", "\n\n\t")
SCALARS = (
    HERE,
    "-1.5e3",
    "true",
    "1979-05-27 07:32:00Z",
    '""',
    "''",
    r'"a \" # ] = [b]"',
    "'\\ \" # } ,'",
    '"""\n[x]\na = 1 # \\""" """""',
    '"""one " two "" \\\n   end"""',
    "'''\n[[y]]\n' '' \\'''''",
)
KEYS = ("k{}", '"k{}"', "'k{}'", '"k \\" ] {}"', "'k.#= {}'", '"k\\u00e9\\\\{}"', "{}", "-{}_")


class Writer:
    """Writes a random valid document; key names never repeat."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._numbers = count()

    def _pick(self, *choices: str) -> str:
        return self._draw(st.sampled_from(choices))

    def _times(self, most: int) -> range:
        return range(self._draw(st.integers(0, most)))

    def key(self) -> str:
        return self._pick(*KEYS).format(next(self._numbers))

    def dotted(self) -> str:
        dot = self._pick(".", " . ", "\t.")
        return dot.join(self.key() for _ in range(1 + len(self._times(2))))

    def value(self, depth: int = 0) -> str:
        kind = self._pick("scalar", "scalar", "array", "table") if depth < 3 else "scalar"
        if kind == "array":
            items = [self._gap() + self.value(depth + 1) + self._gap() for _ in self._times(3)]
            end = self._pick("", ",") if items else ""
            return f"[{','.join(items)}{end}{self._gap()}]"
        if kind == "table":
            return "{" + ", ".join(f"{self.dotted()} = {self.value(depth + 1)}" for _ in self._times(3)) + "}"
        return self._pick(*SCALARS)

    def _gap(self) -> str:
        return self._pick(*GAPS)

    def body(self) -> str:
        pairs = (f"{self.dotted()}{self._pick('=', ' = ')}{self.value()}" for _ in self._times(3))
        return "".join(f"{pair}{self._pick('', ' # x = [1')}\n{self._pick('', chr(10))}" for pair in pairs)

    def tables(self) -> Iterator[str]:
        for _ in self._times(3):
            if self._pick("table", "array") == "table":
                yield f"[{self.dotted()}]\n{self.body()}"
                continue
            name, inner = self.dotted(), self.key()
            for _ in range(1 + len(self._times(2))):
                yield f"[[ {name} ]] # again\n{self.body()}"
                yield from (f"[[{name}.{inner}]]\n{self.body()}" for _ in self._times(2))
                yield from (f"  [{name}.{self.dotted()}]\n{self.body()}" for _ in self._times(1))


@st.composite
def documents(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    text = writer.body() + "".join(writer.tables())
    return "\n".join(line.replace(HERE, str(number)) for number, line in enumerate(text.split("\n"), start=1))


def paths(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from paths(item, (*path, step))


@given(documents())
def test_every_key_that_tomllib_sees_has_its_line_and_no_other_key_has_one(text: str) -> None:
    seen = {path: value for path, value in paths(tomllib.loads(text)) if len(path) <= DEEPEST}
    lines = positions(text)
    assert lines.keys() == seen.keys()
    for path, value in seen.items():
        if type(value) is int:
            assert lines[path] == value


def test_a_table_stands_where_its_header_or_first_mention_stands() -> None:
    lines = positions("# head\na.b = 1\n\n[t.u]\nx = [\n  1,\n  2]\n[[s]]\n[[s]]\n[s.v]\n")
    assert lines == {
        ("a",): 2,
        ("a", "b"): 2,
        ("t",): 4,
        ("t", "u"): 4,
        ("t", "u", "x"): 5,
        ("t", "u", "x", 0): 6,
        ("t", "u", "x", 1): 7,
        ("s",): 8,
        ("s", 0): 8,
        ("s", 1): 9,
        ("s", 1, "v"): 10,
    }


@pytest.mark.parametrize(
    "deep",
    [
        "[" * 300 + "1, '[', \"]\", # ]\n" + "]" * 300,
        "{a = " * 300 + '"}"' + "}" * 300,
        "[{a = " * 200 + "[\n\n'''\n]'''\n]" + "}]" * 200,
    ],
)
def test_what_is_nested_deeper_than_list_files_are_is_stepped_over(deep: str) -> None:
    text = f"a = {deep}\nb = 1\n"
    lines = positions(text)
    assert lines["b",] == text.count("\n")
    assert max(map(len, lines)) == DEEPEST


def test_what_is_too_deep_for_a_line_of_its_own_has_that_of_its_table() -> None:
    lines = positions("x = 1\n" + ".".join("abcdefghijkl") + " = 2\n[[" + ".".join("mnopqrstuvw") + "]]\ny = 3\n")
    assert lines[tuple("abcdefgh")] == 2
    assert lines[tuple("mnopqrst")] == 3
    assert max(map(len, lines)) == DEEPEST


def test_an_empty_document_has_no_positions() -> None:
    assert positions("") == {}
    assert positions("# only a comment") == {}


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ValueError, match="not valid TOML at character 6"):
        positions("a = 1\n= 2")

"""What modules may import, where import-linter cannot say it. Its contracts are in pyproject.toml."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import newsletter

PACKAGE = Path(newsletter.__file__).parent

# Values and functions of values: no clock, file, network, process, thread, randomness or log.
PURE = {
    *(
        "__future__",
        "array",
        "collections",
        "collections.abc",
        "contextlib",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
    ),
    *("hashlib", "hmac", "ipaddress", "itertools", "json", "math", "re", "typing", "unicodedata", "urllib.parse"),
    *("array", "base64", "binascii", "zoneinfo", "idna"),
}
CLOCKS = {"now", "utcnow", "today"}


def trees(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> set[str]:
    """Return the modules that a module imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def impure(tree: ast.AST) -> set[str]:
    return {name for name in imported(tree) - PURE if not name.startswith("newsletter.core")}


def clock_readings(tree: ast.AST) -> list[int]:
    """Return the lines that call `datetime.now`, `date.today` and the like, or `time.time`."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr)
        in {("time", "time"), *((one, name) for one in ("date", "datetime") for name in CLOCKS)}
    ]


def test_the_core_imports_what_is_pure_and_nothing_else() -> None:
    assert {path: names for path, tree in trees("core") if (names := impure(tree))} == {}


@pytest.mark.parametrize("line", ["import os", "from pathlib import Path", "from newsletter.ports import Store"])
def test_an_impure_import_in_the_core_would_be_found(line: str) -> None:
    assert impure(ast.parse(f"def f():\n    {line}"))


@pytest.mark.parametrize("room", ["core", "pipeline", "readers", "operations", "scheduling"])
def test_the_present_moment_is_passed_in(room: str) -> None:
    assert {path: lines for path, tree in trees(room) if (lines := clock_readings(tree))} == {}


def test_a_clock_that_is_read_would_be_found() -> None:
    assert clock_readings(ast.parse("from datetime import UTC, datetime\nx = datetime.now(UTC)")) == [2]


def test_commands_change_no_delivery() -> None:
    names = {
        path: alias.name
        for path, tree in trees("cli")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in {"Change", "Planned"}
    }
    assert names == {}

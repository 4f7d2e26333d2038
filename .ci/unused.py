"""Find what nothing in the program uses: code that only tests keep alive.

The modules, functions, classes, methods and constants of a package are checked. Each is used if its name stands
in the package or in the templates, other than in its own definition or in an import. Only names are compared:
something unused that shares its name with something used is not found. What libraries call by name stands in
`.ci/used-from-outside`, each with the reason.

    python .ci/unused.py [PACKAGE [TEMPLATES [ALLOWED]]]
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Decorators that hand a function to a library, which calls it, or say that a library's own class asks for it.
CALLED_BY_LIBRARIES = {
    *("command", "callback"),  # Typer
    *("model_validator", "field_validator"),  # pydantic
    "override",
}
_FEW = 20  # uses of a name that may all be its own: calls of itself
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Found(NamedTuple):
    """Something that nothing uses."""

    name: str
    place: str


def names_in(node: ast.AST) -> Counter[str]:
    """Return how often each name is used in a piece of code; definitions and imports don't count."""
    names: Counter[str] = Counter()
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                names[name] += 1
            case ast.keyword(arg=str(name)):
                names[name] += 1
            case ast.MatchClass(cls=_, kwd_attrs=attributes):
                names.update(attributes)
    return names


def words_in(folder: Path) -> Counter[str]:
    """Return how often each word stands in the files of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return Counter(word for path in files for word in re.findall(r"\w+", path.read_text(errors="ignore")))


def defined_in(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name and the code of all that a module defines, at any depth, and of its constants."""
    for node in ast.walk(tree):
        if isinstance(node, Definition) and not is_called_by_a_library(node):
            yield node.name, node
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, ast.Pass(lineno=node.lineno)


def is_called_by_a_library(node: Definition) -> bool:
    """Return whether a decorator says that a library calls a function."""
    named = (part.func if isinstance(part, ast.Call) else part for part in node.decorator_list)
    return any(getattr(part, "attr", getattr(part, "id", "")) in CALLED_BY_LIBRARIES for part in named)


def imported_in(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a module may import, by their full names; a table may hold them as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def unused(package: Path, templates: Path) -> list[Found]:
    """Return what nothing in a package uses."""
    files = [
        path for path in sorted(package.rglob("*.py")) if "migrations" not in path.parts
    ]  # Alembic finds those
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    used = sum(map(names_in, trees.values()), words_in(templates))
    imported = {name for tree in trees.values() for name in imported_in(tree)}
    found = []
    for path, tree in trees.items():
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        if path.stem != "__init__" and module not in imported:
            found.append(Found(module, str(path)))
        for name, node in defined_in(tree):
            uses = used[name]
            if not name.startswith("__") and (not uses or (uses < _FEW and uses <= names_in(node)[name])):
                found.append(Found(name, f"{path}:{node.lineno}"))  # type: ignore[attr-defined]
    return found


def allowed_in(file: Path) -> dict[str, str]:
    """Return the names that a file allows, each with its reason."""
    lines = (line.partition("#")[0].split(None, 1) for line in file.read_text(encoding="utf-8").splitlines())
    return {line[0]: line[1].strip() if len(line) > 1 else "" for line in lines if line}


def main(package: str = "newsletter", templates: str = "templates", allowed: str = ".ci/used-from-outside") -> int:
    """Print what nothing uses, and what is allowed without need; return 1 if there is any."""
    reasons = allowed_in(Path(allowed))
    found = unused(Path(package), Path(templates))
    mistakes = [f"{one.place}: nothing uses {one.name}" for one in found if one.name not in reasons]
    needless = reasons.keys() - {one.name for one in found}
    mistakes += [f"{allowed}: {name} is used, or gone: take it off the list" for name in sorted(needless)]
    mistakes += [f"{allowed}: {name} has no reason" for name, reason in reasons.items() if not reason]
    print("\n".join(mistakes) or "all is used")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""What is wrong with a lock file that pip installs with `--no-deps --require-hashes`.

pip resolves nothing then, so a lock must hold every distribution that is needed, each pinned and with its hashes:
the requirements of the requirements too, on every Python and system that we support.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_SYSTEMS = ("linux", "darwin")


@dataclass(frozen=True, slots=True)
class Pin:
    """One entry of a lock: a distribution in one version, where its marker holds."""

    requirement: Requirement
    has_hashes: bool

    @property
    def name(self) -> str:
        """Return the distribution's canonical name."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """Return the pinned version, or nothing where there is none."""
        match = re.fullmatch(r"==([^*,]+)", str(self.requirement.specifier))
        return match[1] if match else ""


def wanted(pyproject: Path, *, extras: Iterable[str], groups: Iterable[str]) -> list[Requirement]:
    """Return what a project asks for by itself: its dependencies, with some extras and dependency groups."""
    described = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    found = list(described["project"]["dependencies"])
    for extra in extras:
        found += described["project"]["optional-dependencies"][extra]
    for group in groups:
        found += [one for one in described["dependency-groups"][group] if isinstance(one, str)]
    return [Requirement(one) for one in found]


def pins(lock: str) -> list[Pin]:
    """Return the entries of a lock file's text."""
    entries = re.findall(r"^([A-Za-z0-9][^\\\n]*?)\s*(\\\n(?:\s+--hash=\S+(?:\s*\\)?\n?)+)?$", lock, re.MULTILINE)
    return [Pin(Requirement(text), bool(hashes)) for text, hashes in entries]


def installed(name: str) -> list[Requirement] | None:
    """Return what an installed distribution asks for, or None where it isn't installed here."""
    try:
        return [Requirement(one) for one in distribution(name).requires or ()]
    except PackageNotFoundError:
        return None


def faults(
    lock: str, wishes: Iterable[Requirement], requires: Mapping[str, list[Requirement] | None]
) -> list[str]:
    """Return what is wrong with a lock, a line each.

    Args:
        lock: the file's text.
        wishes: what it is for.
        requires: what each distribution asks for in its turn; None where that is not known here.
    """
    entries = pins(lock)
    found = [f"{word} in the lock" for word in re.findall(r"\S+://\S*", lock)]
    for pin in entries:
        if pin.requirement.extras:
            found.append(f"{pin.name} has an extra, which pip would resolve anew")
        if not pin.version:
            found.append(f"{pin.name} is not pinned to one version")
        if not pin.has_hashes:
            found.append(f"{pin.name} has no hash")
    reached: set[str] = set()
    for environment in _environments():
        missing = _missing(entries, list(wishes), requires, environment, reached)
        found += (line for line in missing if line not in found)
    return found + [f"{pin.name} is needed by nothing" for pin in entries if pin.name not in reached]


def _environments() -> Iterator[dict[str, str]]:
    for python in _PYTHONS:
        for system in _SYSTEMS:
            yield {
                **{name: str(value) for name, value in default_environment().items()},
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": system,
                "platform_system": system.title(),
            }
    # Windows and a browser are no systems of ours, but a lock for all systems names what they would need.
    here = {name: str(value) for name, value in default_environment().items()}
    yield {**here, "sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}
    yield {**here, "sys_platform": "emscripten", "python_version": "3.12", "python_full_version": "3.12.0"}


def _missing(
    entries: list[Pin],
    wishes: list[Requirement],
    requires: Mapping[str, list[Requirement] | None],
    environment: dict[str, str],
    reached: set[str],
) -> Iterator[str]:
    there = {
        pin.name: pin.version
        for pin in entries
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(environment)
    }
    waiting = [(one, "") for one in wishes]
    done = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        reached.add(name)
        if name not in there:
            where = f"Python {environment['python_version']}, {environment['sys_platform']}"
            yield f"{requirement} is missing on {where}"
        elif not requirement.specifier.contains(there[name], prereleases=True):
            yield f"{name} {there[name]} is locked, {requirement} is asked for"
        for wish in ("", *requirement.extras):
            if (name, wish) not in done:
                done.add((name, wish))
                waiting += ((one, wish) for one in requires.get(name) or ())

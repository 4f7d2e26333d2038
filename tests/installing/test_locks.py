from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.installing.locks import faults, installed, pins, wanted

ROOT = Path(__file__).parents[2]
LOCKS: dict[str, dict[str, tuple[str, ...]]] = {
    "requirements.lock": {"extras": ("cluster", "uvloop"), "groups": ("build",)},
    "requirements-dev.lock": {"extras": ("cluster", "uvloop"), "groups": ("build", "dev")},
}
HASH = " \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_complete_so_that_nothing_is_resolved(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    wishes = wanted(ROOT / "pyproject.toml", **LOCKS[name])
    assert faults(lock, wishes, {pin.name: installed(pin.name) for pin in pins(lock)}) == []


def test_users_and_developers_get_the_same_versions() -> None:
    users, developers = (
        {pin.name: pin.version for pin in pins((ROOT / name).read_text(encoding="utf-8"))} for name in LOCKS
    )
    assert users.items() <= developers.items()
    assert not {"pytest", "mypy", "playwright"} & users.keys()


def test_a_lock_without_fault_has_none() -> None:
    lock = f"one==1.0{HASH}two==2.1 ; sys_platform == 'linux'{HASH}"
    needs = {"one": [Requirement("two>=2; sys_platform == 'linux'")], "two": []}
    assert faults(lock, [Requirement("one")], needs) == []


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        (f"one[fast]==1.0{HASH}", "one has an extra, which pip would resolve anew"),
        (f"one>=1.0{HASH}", "one is not pinned to one version"),
        ("one==1.0\n", "one has no hash"),
        (f"one==0.9{HASH}", "one 0.9 is locked, one>=1 is asked for"),
        (f"one==1.0{HASH}three==3{HASH}", "three is needed by nothing"),
        (f"one==1.0 ; python_version < '3.13'{HASH}", "one>=1 is missing on Python 3.13, linux"),
        (f"--index-url https://index.example.org\none==1.0{HASH}", "https://index.example.org in the lock"),
    ],
)
def test_each_fault_is_found(lock: str, fault: str) -> None:
    assert fault in faults(lock, [Requirement("one>=1")], {"one": []})


def test_what_an_extra_asks_for_must_be_there() -> None:
    needs = {"one": [Requirement("two>=2; extra == 'fast'")], "two": [Requirement("three")]}
    assert faults(f"one==1.0{HASH}", [Requirement("one")], needs) == []
    assert 'two>=2; extra == "fast" is missing on Python 3.11, linux' in faults(
        f"one==1.0{HASH}", [Requirement("one[fast]")], needs
    )
    lock = f"one==1.0{HASH}two==2{HASH}"
    assert "three is missing on Python 3.14, darwin" in faults(lock, [Requirement("one[fast]")], needs)

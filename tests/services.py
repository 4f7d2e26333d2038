"""What tests do about a service that this machine lacks: skip on a developer's machine, fail in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def missing(what: str) -> None:
    """Skip the running test for want of `what`, or fail it where CI promised to have it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; CI must have it (see `make system`)")
    pytest.skip(f"{what} is missing (see `make system`)")


def need(program: str, *places: str) -> str:
    """Return the path of a program, looked for on PATH and in `places`."""
    found = shutil.which(program) or next((place for place in places if Path(place).exists()), None)
    if not found:
        missing(program)
    return str(found)


def shared(*parts: str) -> Path:
    """Return a path of the recorded material beside the checkout; skip where there is none (it is optional)."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip("no recorded material beside this checkout")
    return path

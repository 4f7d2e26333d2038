"""The last examination, kept in the state folder so that the operator's pages can show it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from newsletter.core.diagnosis import Diagnosis, Health

FILE = "doctor.json"  # in the state folder
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, and when (aware)."""

    at: datetime
    found: tuple[Diagnosis, ...]


def as_json(found: Sequence[Diagnosis]) -> list[dict[str, str]]:
    """Return what was found as JSON shows it."""
    return [asdict(one) for one in found]


def content_of(examination: Examination) -> bytes:
    """Return the content of the file that keeps an examination."""
    value = {"at": examination.at.isoformat(), "found": as_json(examination.found)}
    return json.dumps(value, indent=1).encode()


def kept(file: Path) -> Examination | None:
    """Return what a file keeps; None where there is none, or one that is not ours."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        if file.stat().st_size <= _MOST_BYTES:
            value: dict[str, Any] = json.loads(file.read_bytes())
            found = tuple(
                Diagnosis(str(one["check"]), Health(one["status"]), str(one["says"]), str(one["do"]))
                for one in value["found"]
            )
            at = datetime.fromisoformat(value["at"])
            return Examination(at, found) if at.tzinfo else None
    return None

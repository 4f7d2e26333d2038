"""What the machine offers: list files, timezones, room on the disk, the right time."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.ports import Clock

_FULL, _NEARLY_FULL = 100 * 10**6, 500 * 10**6  # bytes that are free
_LATE, _VERY_LATE = timedelta(minutes=1), timedelta(minutes=5)
_MEGA, _GIGA = 10**6, 10**9


@dataclass(frozen=True, slots=True)
class Space:
    """Where a folder stands: the file system, the bytes and the files that there is room for; -1: not known."""

    device: int
    free: int
    files: int


def space_of(folder: Path) -> Space:
    """Return the room around a folder, or around the nearest folder above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    found = os.statvfs(folder)
    return Space(
        folder.stat().st_dev,
        found.f_bavail * found.f_frsize if found.f_blocks else -1,
        found.f_favail if found.f_files else -1,
    )


def disk(folders: Iterable[Path], space: Callable[[Path], Space]) -> Iterator[Diagnosis]:
    """Yield whether there is room, once for each file system."""
    seen = set()
    for folder in folders:
        room = space(folder.absolute())
        if room.device not in seen:
            seen.add(room.device)
            yield _room(folder, room)


def _room(folder: Path, room: Space) -> Diagnosis:
    if room.free < 0:
        return ok("disk", f"{folder}: its file system does not say how much is free")
    free = f"{room.free / _GIGA:,.1f} GB" if room.free >= _GIGA else f"{room.free / _MEGA:,.0f} MB"
    if room.free < _FULL:
        return fail("disk", f"{folder}: {free} are free", "make room: the ledger cannot grow without")
    if room.files == 0:
        return fail("disk", f"{folder}: there is no room for another file", "remove files (inodes are used up)")
    if room.free < _NEARLY_FULL:
        return warn("disk", f"{folder}: {free} are free", "make room before the disk is full")
    return ok("disk", f"{folder}: {free} are free")


def has_timezones() -> bool:
    """Return whether there is a timezone database at all."""
    return len(available_timezones()) > 1  # UTC needs none


def timezones(names: Iterable[str]) -> Iterator[Diagnosis]:
    """Yield whether the timezones of lists and readers are known here."""
    advice = "run `pip install --upgrade tzdata`, or install the system's package tzdata"
    if not has_timezones():
        yield fail("timezones", "there is no timezone data", advice)
        return
    wanted = sorted(set(names))
    unknown = [name for name in wanted if not _is_known(name)]
    if unknown:
        yield fail("timezones", f"no timezone data for {', '.join(unknown)}", advice)
    else:
        yield ok("timezones", f"data for {', '.join(wanted) or 'all zones'}")


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


async def clock_against(
    name: str, ask: Callable[[], Awaitable[datetime | None]], clock: Clock
) -> Diagnosis | None:
    """Return whether the clock goes right by another one; None if that tells no time.

    Args:
        name: whose clock that is.
        ask: returns its time (aware), perhaps cut to whole seconds.
        clock: of this machine.
    """
    before = clock()
    other = await ask()
    after = clock()
    if other is None:
        return None
    early, late = before - other - timedelta(seconds=1), other - after
    wrong = max(early, late, timedelta())
    if wrong < _LATE:
        return ok("clock", f"goes right by {name}")
    way = "ahead of" if early > late else "behind"
    says = f"is {_rough(wrong)} {way} {name}"
    return (fail if wrong >= _VERY_LATE else warn)("clock", says, "set it, and let it be kept right (NTP)")


def _rough(duration: timedelta) -> str:
    minutes = round(duration.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"

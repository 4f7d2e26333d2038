"""Whether a file has changed: by its size and times where these can be trusted, else by its content."""

from __future__ import annotations

import time
from pathlib import Path

# Clocks of file systems are coarse: what is written this shortly before a look may be written once more without
# another time (as git says of its index: https://git-scm.com/docs/racy-git).
_COARSE_NS = 2_000_000_000
# A file that was written to more recently may be unfinished.
_AT_REST_NS = 5_000_000_000


def stamp_of(path: Path) -> str:
    """Return size, time of writing and time of the last change of a file; "" if there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def settled(stamp: str) -> str:
    """Return a stamp that was just taken if it is older than what file systems tell apart, else ""."""
    latest = max(map(int, stamp.split()[1:]), default=0)
    return stamp if latest < time.time_ns() - _COARSE_NS else ""


def is_at_rest(stamp: str) -> bool:
    """Return whether a file with this stamp was not written to, moved or touched within the last five seconds.

    A stamp in the future counts as old: it comes from another clock.
    """
    latest = max(map(int, stamp.split()[1:]), default=0)
    return not 0 <= time.time_ns() - latest < _AT_REST_NS


def is_of_size(stamp: str, other: str) -> bool:
    """Return whether two stamps are of files of the same size."""
    return stamp.split()[:1] == other.split()[:1]

"""Whether there is a backup of the ledger, and how old it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter.core.diagnosis import Diagnosis, ok, warn
from newsletter.core.text import counted
from newsletter.ports import Backup

_OLD = timedelta(days=7)
_MAKE_ONE = "run `newsletter db backup backups/papers-{date}.db --keep 14` each night: docs/backup.md"


def backups(newest: Backup | None, *, has_issues: bool, now: datetime) -> Diagnosis:
    """Return whether there is a backup that is not old.

    Args:
        newest: the backup that was made last; None: there never was one.
        has_issues: whether anything went out that the ledger knows of.
        now: the present moment, aware.
    """
    if newest is None and not has_issues:
        return ok("backup", "nothing went out yet that would be lost")
    if newest is None:
        return warn("backup", "there never was one", _MAKE_ONE)
    says = f"the newest was made {_ago(now - newest.at)}: {newest.file}"
    return warn("backup", says, _MAKE_ONE) if now - newest.at > _OLD else ok("backup", says)


def _ago(age: timedelta) -> str:
    if age >= timedelta(days=2):
        return f"{counted(age.days, 'day')} ago"
    return f"{counted(int(age.total_seconds() // 3600), 'hour')} ago"

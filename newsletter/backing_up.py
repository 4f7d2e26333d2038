"""The composition of backups. It stands above the root.

A backup is made of a ledger as it stands, by whatever version: nothing is upgraded for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter import bootstrap
from newsletter.core.errors import StoreError, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from newsletter.ports import Backup
    from newsletter.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBackup:
    """What a backup came to: the file, its size in bytes, when it was begun, the older ones that were removed."""

    file: Path
    size: int
    at: datetime
    removed: list[Path]


def back_up(
    settings: Settings, pattern: Path, *, now: datetime, replaces: bool, keep: int | None, with_key: bool
) -> MadeBackup:
    """Make a backup of the ledger, and remove those of the same pattern that are older than the newest few.

    Args:
        settings: the settings.
        pattern: the file; `{date}` and `{time}` in its name stand for the moment.
        now: the present moment, aware.
        replaces: whether the file may be there already.
        keep: how many backups are kept, this one among them; None: all.
        with_key: whether the key that signs links goes with it, where the program made it.

    Raises:
        UsageError: the file is there already, or cannot be written; or `keep` is given for a name without a date.
        StoreError: the ledger cannot be read, or the backup is not sound.
    """
    import asyncio

    from newsletter.core.backup_names import is_dated, named, outdated
    from newsletter.ports import Backup
    from newsletter.store.copies.files import mark_as_backup, new_file

    if keep is not None and not is_dated(pattern.name):
        raise UsageError(f"{pattern}: --keep needs {{date}} in the name of the file, as in papers-{{date}}.db")
    path = pattern.with_name(named(pattern.name, now))
    if path.exists() and not replaces:
        raise UsageError(f"{path}: is there already; --force replaces it")
    key = _own_key(settings) if with_key else None
    with new_file(path, pattern.with_name(f".{pattern.name}.partial")) as partial:
        _copy(settings, partial)
        mark_as_backup(partial, made_at=now, secret_key=key)
    asyncio.run(_note(settings, Backup(at=now, file=str(path.absolute()))))
    names = (one.name for one in path.parent.iterdir())
    old = [] if keep is None else [path.with_name(name) for name in outdated(pattern.name, names, keep=keep)]
    for one in old:
        one.unlink(missing_ok=True)
    return MadeBackup(file=path, size=path.stat().st_size, at=now, removed=old)


def _copy(settings: Settings, target: Path) -> None:
    """Copy the ledger into an empty file."""
    from newsletter.store.copies.files import copy_sqlite
    from newsletter.store.copies.postgresql import copy_from_postgresql

    ledger = bootstrap.ledger_file(settings)
    if ledger is None:
        url = settings.database.url.get_secret_value()
        copy_from_postgresql(url, target, where=_where(settings))
    elif ledger.exists():
        copy_sqlite(ledger, target)
    else:
        raise StoreError(f"{ledger}: there is no ledger yet: there is nothing to back up")


def _own_key(settings: Settings) -> str | None:
    """Return the key that signs links, if the program made it; the operator keeps one of the settings."""
    return None if settings.web.secret_key.get_secret_value() else bootstrap.secret_key(settings)


def _where(settings: Settings) -> str:
    """Return what the ledger's database is called in messages."""
    from newsletter.store import name_of

    return name_of(settings.database.url.get_secret_value())


async def _note(settings: Settings, backup: Backup) -> None:
    """Note in the ledger that a backup was made; one that is still to be upgraded has no place for it."""
    from newsletter.store import open_if_up_to_date

    store = await open_if_up_to_date(settings.database.url.get_secret_value())
    if store is not None:
        try:
            await store.backups.note(backup)
        finally:
            await store.close()

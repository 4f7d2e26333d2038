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
        UsageError: the file is there already and may not be replaced, or cannot be written; or `keep` is given for
            a name without a date; or an older backup cannot be removed.
        StoreError: the ledger cannot be read, or the backup is not sound.
        ConfigurationError: the ledger was copied into another database, or is half a copy.
    """
    import asyncio

    from newsletter.core.backup_names import is_dated
    from newsletter.ports import Backup
    from newsletter.store.copies.files import mark_as_backup, new_file

    if keep is not None and not is_dated(pattern.name):
        raise UsageError(f"{pattern}: --keep needs {{date}} in the name of the file, as in papers-{{date}}.db")
    asyncio.run(_require_in_place(settings))
    path = _place(settings, pattern, now, replaces=replaces)
    key = _own_key(settings) if with_key else None
    with new_file(path, pattern.with_name(f".{pattern.name}.partial")) as partial:
        _copy(settings, partial)
        mark_as_backup(partial, made_at=now, secret_key=key)
    asyncio.run(_note(settings, Backup(at=now, file=str(path.absolute()))))
    removed = [] if keep is None else _remove_older(path, pattern.name, keep)
    return MadeBackup(file=path, size=path.stat().st_size, at=now, removed=removed)


def _place(settings: Settings, pattern: Path, now: datetime, *, replaces: bool) -> Path:
    """Return where a backup is written; nothing but another backup is ever replaced."""
    from newsletter.core.backup_names import named
    from newsletter.store.copies.files import is_database

    name = named(pattern.name, now)
    if not name or pattern.is_dir():
        raise UsageError(f"{pattern}: is a folder; write the name of a file in it")
    if "{" in name or "}" in name:
        raise UsageError(f"{pattern}: in the name of a backup stand {{date}} and {{time}} alone in braces")
    path, ledger = pattern.with_name(name), bootstrap.ledger_file(settings)
    if not path.exists():
        return path
    if not replaces:
        raise UsageError(f"{path}: is there already; --force replaces it")
    if ledger is not None and ledger.exists() and path.samefile(ledger):
        raise UsageError(f"{path}: is the ledger itself; write another name")
    if not is_database(path):
        raise UsageError(f"{path}: is no backup, so it is not replaced; write another name")
    return path


def _remove_older(path: Path, pattern: str, keep: int) -> list[Path]:
    """Remove the backups beside a new one that are not among the newest of its pattern, and return them."""
    from newsletter.core.backup_names import outdated

    names = [one.name for one in path.parent.iterdir() if one.is_file()]
    older = [path.with_name(name) for name in outdated(pattern, names, keep=keep)]
    for one in older:
        try:
            one.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{path} is written, but {one} cannot be removed: {error.strerror}") from None
    return older


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


async def _require_in_place(settings: Settings) -> None:
    """Find out whether the database is the ledger: one that was copied elsewhere lacks what came since."""
    from newsletter.store import open_if_up_to_date

    store = await open_if_up_to_date(settings.database.url.get_secret_value())
    if store is not None:
        await store.close()


async def _note(settings: Settings, backup: Backup) -> None:
    """Note in the ledger that a backup was made; one that is still to be upgraded has no place for it."""
    from newsletter.store import open_if_up_to_date

    store = await open_if_up_to_date(settings.database.url.get_secret_value())
    if store is not None:
        try:
            await store.backups.note(backup)
        finally:
            await store.close()

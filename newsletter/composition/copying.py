"""The composition of what copies a ledger into another database. It stands above the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from newsletter import bootstrap
from newsletter.core.errors import ConfigurationError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from newsletter.settings import Settings
    from newsletter.store.copies.sides import CopySide
    from newsletter.store.copies.whole import WholeCopy


def copy_ledger(
    settings: Settings, source: str, target: str, *, now: datetime, progress: Callable[[int, int], object]
) -> WholeCopy:
    """Copy a ledger into another database, or go on with it; then the other one is the ledger.

    Args:
        settings: how deliveries that were cut off are dealt with, where a killed process left notes beside SQLite.
        source: the URL of the ledger.
        target: the URL of an empty database, or one that is not there yet, or what an earlier attempt left.
        now: the present moment, aware.
        progress: is told how many rows were copied, and how many there are.

    Raises:
        UsageError: a URL is none, there is no ledger, or the target holds another one.
        ConfigurationError: one of them has tables of another version.
        StoreError: one cannot be read or written, somebody uses one of them, or the copy is not the same.
    """
    import asyncio

    from newsletter.store.copies.sides import alone_at
    from newsletter.store.copies.whole import copy_whole, require_newest

    file = _ledger_at(source)
    _require_other(source, target)
    with alone_at(source) as former:
        require_newest(former)
        unread = _unread(former, file)
    if unread:
        asyncio.run(_read_journals(settings, source, unread, now))
    if _is_new(target):
        asyncio.run(bootstrap.upgrade_database(_at(settings, target)))
    with alone_at(source) as former, alone_at(target) as new:
        if _unread(former, file):
            raise StoreError(f"{former.name}: a process that used it has just died; run this again")
        require_newest(new)
        return copy_whole(former, new, key_id=_key_id(settings), now=now, progress=progress)


def reopen_ledger(source: str) -> tuple[str, bool]:
    """Let a ledger be used again that was copied elsewhere, or is half copied.

    Returns:
        Its name, and whether the copy was whole, so that it may be in use.

    Raises:
        UsageError: it was not copied, or there is none.
        ConfigurationError: it has tables of another version.
        StoreError: it cannot be written, or is being copied just now.
    """
    from newsletter.store.copies.sides import alone_at
    from newsletter.store.copies.whole import reopen, require_newest

    _ledger_at(source)
    with alone_at(source) as former:
        require_newest(former)
        return former.name, reopen(former)


def _ledger_at(url: str) -> Path | None:
    """Return the file of a ledger that is to be there; None: it is in PostgreSQL.

    Raises:
        UsageError: there is no such file, or the text is no URL of a database that stays.
    """
    file = _file_of(url)
    if file is not None and not file.exists():
        raise UsageError(f"{file}: there is no ledger")
    return file


def _file_of(url: str) -> Path | None:
    from newsletter.store import name_of, sqlite_file

    try:
        name = name_of(url)
    except ConfigurationError:
        raise UsageError(
            "what is copied, and where to, are databases: write sqlite:///var/newsletter.db or "
            "postgresql://user:password@host/name"
        ) from None
    file = sqlite_file(url)
    if file is None and name.startswith("SQLite"):
        raise UsageError("a database in memory is gone when the command ends: name a file")
    return file


def _require_other(source: str, target: str) -> None:
    """Find out whether two URLs are two databases; two ways to one in PostgreSQL are found out by its lock."""
    one, other = _file_of(source), _file_of(target)
    is_same = source == target if one is None or other is None else one.absolute() == other.absolute()
    if is_same or (one is not None and other is not None and other.exists() and one.samefile(other)):
        raise UsageError("SOURCE and TARGET are the same database")


def _is_new(url: str) -> bool:
    """Return whether a database has no tables of ours, or is not there; one that is not there is not made."""
    from newsletter.store.copies.sides import alone_at

    file = _file_of(url)
    if file is not None and not file.exists():
        return True
    with alone_at(url) as side:
        return side.revision() is None


def _at(settings: Settings, url: str) -> Settings:
    """Return the same settings, with another ledger."""
    database = settings.database.model_copy(update={"url": SecretStr(url)})
    return settings.model_copy(update={"database": database})


def _unread(former: CopySide, ledger: Path | None) -> list[Path]:
    """Return the journals beside SQLite that say more of deliveries than the ledger, of processes that died."""
    from newsletter.delivery.record.journal import path_of
    from newsletter.store.copies.whole import holders

    if ledger is None:
        return []
    folder = ledger.with_name(f"{ledger.name}.journals")
    return [path for name in holders(former) if (path := path_of(folder, name)).exists()]


def _key_id(settings: Settings) -> str | None:
    """Return which key signs links, of the settings or made here before; None: there is none yet."""
    from newsletter.core.erasure import AddressHashes
    from newsletter.settings.secret_key import FILE, kept_key

    key, file = settings.web.secret_key.get_secret_value(), settings.paths.state / FILE
    if not key and not file.exists():
        return None
    return AddressHashes((key or kept_key(file),)).key_ids[0]


async def _read_journals(settings: Settings, url: str, journals: list[Path], now: datetime) -> None:
    """Bring a ledger up to what killed processes noted beside it, as the next run would."""
    from newsletter.delivery.record.recovery import recover
    from newsletter.store import open_store

    store = await open_store(url)
    try:
        await recover(store.outbox, settings.delivery.uncertain, now=now, journals=journals[0].parent)
    finally:
        await store.close()

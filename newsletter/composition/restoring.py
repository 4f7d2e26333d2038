"""The composition of what puts a backup in the place of the ledger. It stands above the root.

All is done with a copy of the backup, which takes its place in one step: who is killed before leaves the ledger as
it was. What the backup does not know is decided by the operator (`core.restoring`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter import bootstrap
from newsletter.core.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from newsletter.bootstrap import Program
    from newsletter.core.erasure import AddressHashes
    from newsletter.ports import Store
    from newsletter.settings import Settings
    from newsletter.store.copies.carrying import Carried


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What restoring came to.

    Attributes:
        known_until: up to when the backup knows what happened; None: nothing ever did.
        counted: how many deliveries were open in it and count as sent.
        replaced: where the ledger is now that was there before; None: there was none.
        carried: what was carried over from it; None: there was none, or it cannot be read.
        key: what is to be said of the key that signs links; mostly nothing.
    """

    known_until: datetime | None
    counted: int
    replaced: Path | None
    carried: Carried | None
    key: str


async def accept_older(program: Program, assume_sent_until: datetime | None, *, now: datetime) -> int | None:
    """Go on with an older copy of the ledger, or a backup, that stands in its place.

    Args:
        program: the program, on that ledger.
        assume_sent_until: until when all that was due counts as sent; None: only what the ledger knows.
        now: the present moment, aware.

    Returns:
        How many deliveries were open and count as sent; None: the ledger is no older copy, nothing was changed.
    """
    if not await program.mark.is_older():
        return None
    counted = 0
    if assume_sent_until is not None:
        counted = await program.store.restored.assume_sent(assume_sent_until, now=now)
    _leave_out_numbers(program.settings)
    await program.mark.accept()
    return counted


def _leave_out_numbers(settings: Settings) -> None:
    from newsletter.store import name_of
    from newsletter.store.copies import numbers, postgresql

    ledger, url = bootstrap.ledger_file(settings), settings.database.url.get_secret_value()
    if ledger is None:
        postgresql.leave_out_numbers(url, where=name_of(url))
    else:
        numbers.leave_out_numbers(ledger, None)


def moment_of(file: Path) -> datetime | None:
    """Return up to when a backup knows what happened; None: nothing ever did.

    Raises:
        UsageError: there is no such file.
        StoreError: it is no ledger.
    """
    from newsletter.store.copies.files import known_until

    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")
    return known_until(file)


def restore(settings: Settings, file: Path, *, assume_sent_until: datetime | None, now: datetime) -> Restoration:
    """Put a backup in the place of the ledger; the other is kept.

    Args:
        settings: the settings.
        file: the backup, made from either engine.
        assume_sent_until: until when all that was due counts as sent; None: only what the backup knows.
        now: the present moment, aware.

    Raises:
        UsageError: there is no such file.
        StoreError: it is no sound backup, or one of a newer version; or another process uses the ledger.
    """
    import asyncio

    from newsletter.store.copies.files import take_kept_key

    reached = moment_of(file)
    ledger = bootstrap.ledger_file(settings)
    with _alone(settings, ledger), _prepared(settings, ledger, file) as ready:
        former = _former(settings, ledger, now)
        key = _keep_key(settings, take_kept_key(ready), ready, former, now)
        counted, carried = asyncio.run(_settle(settings, ready, former, assume_sent_until, now=now))
        replaced = _put_in_place(settings, ledger, ready, former, now)
    return Restoration(known_until=reached, counted=counted, replaced=replaced, carried=carried, key=key)


@contextmanager
def _alone(settings: Settings, ledger: Path | None) -> Iterator[None]:
    """Keep others from using the ledger; of PostgreSQL, find out that nobody does."""
    from newsletter.store import name_of
    from newsletter.store.copies.postgresql import check_alone
    from newsletter.store.in_use import alone_with

    if ledger is not None:
        with alone_with(ledger):
            yield
        return
    url = settings.database.url.get_secret_value()
    check_alone(url, where=name_of(url))
    yield


@contextmanager
def _prepared(settings: Settings, ledger: Path | None, file: Path) -> Iterator[Path]:
    """Give a copy of the backup beside the ledger, which is there for as long as the context lasts."""
    from shutil import rmtree

    from newsletter.store.copies.files import check_copy, copy_sqlite, new_file

    folder = settings.paths.state if ledger is None else ledger.parent
    ready = folder / "restoring.db"
    with new_file(ready, folder / ".restoring.db.partial") as partial:
        copy_sqlite(file, partial)
        check_copy(partial, file)
    try:
        yield ready
    finally:
        for end in ("", "-wal", "-shm"):
            ready.with_name(ready.name + end).unlink(missing_ok=True)
        rmtree(ready.with_name(f"{ready.name}.workers"), ignore_errors=True)


def _former(settings: Settings, ledger: Path | None, now: datetime) -> Path | None:
    """Return the ledger that is there, as an SQLite database; None if there is none."""
    from newsletter.store import name_of
    from newsletter.store.copies.files import new_file
    from newsletter.store.copies.postgresql import copy_from_postgresql, has_ledger

    if ledger is not None:
        return ledger if ledger.exists() else None
    url = settings.database.url.get_secret_value()
    if not has_ledger(url, where=name_of(url)):
        return None
    kept_as = _kept_as(settings.paths.state / "ledger.db", now)
    with new_file(kept_as, kept_as.with_name(f".{kept_as.name}.partial")) as partial:
        copy_from_postgresql(url, partial, where=name_of(url))
    return kept_as


def _kept_as(file: Path, now: datetime) -> Path:
    return file.with_name(f"{file.name}.replaced-{now:%Y%m%dT%H%M%SZ}")


def _keep_key(settings: Settings, key: str, ready: Path, former: Path | None, now: datetime) -> str:
    """Put the key that signs links in its place, where the program made it; return what is to be said of it."""
    from newsletter.store.copies.carrying import is_same_ledger
    from newsletter.whole_files import write_whole

    path, known = settings.paths.state / "secret_key", settings.web.secret_key.get_secret_value()
    if not known and path.exists():
        known = path.read_text(encoding="utf-8", errors="replace")
    if not key:
        return (
            "" if known else f"the backup holds no key, and there is no {path}: links in old mails will not work"
        )
    if key == known:
        return ""
    if settings.web.secret_key.get_secret_value() or (known and former and is_same_ledger(ready, former)):
        return (
            "the backup holds another key than the one in use: links in mails that were sent with it work if it "
            "is one of NEWSLETTER_WEB__FORMER_SECRET_KEYS"
        )
    if known:
        path.rename(_kept_as(path, now))
    write_whole(path, key.encode(), durable=True, mode=0o600)
    return f"the key of the backup is in {path}"


async def _settle(
    settings: Settings, ready: Path, former: Path | None, assume_sent_until: datetime | None, *, now: datetime
) -> tuple[int, Carried | None]:
    """Bring a copy up to date, and decide what becomes of what it does not know.

    Returns:
        How many deliveries count as sent, and what was carried over.
    """
    from newsletter.core.erasure import AddressHashes
    from newsletter.pipeline.high_water import HighWaterMark
    from newsletter.store import open_store
    from newsletter.store.copies.carrying import is_same_ledger
    from newsletter.store.copies.files import fill_empty_index, url_of
    from newsletter.store.copies.numbers import leave_out_numbers

    former_keys = (one.get_secret_value() for one in settings.web.former_secret_keys)
    hashes = AddressHashes((bootstrap.secret_key(settings), *former_keys))
    store = await open_store(url_of(ready), hashes=hashes)
    counted = 0
    try:
        if assume_sent_until is not None:
            counted = await store.restored.assume_sent(assume_sent_until, now=now)
        carried = await _carry(ready, former, store, hashes, now) if former else None
        name, *_ = await store.high_water.read()
        known = await HighWaterMark(store.high_water, settings.paths.state).known(name)
        await store.high_water.accept(at_least=known + 1)
    finally:
        await store.close()
    fill_empty_index(ready)
    leave_out_numbers(ready, former if former and is_same_ledger(ready, former) else None)
    return counted, carried


async def _carry(ready: Path, former: Path, store: Store, hashes: AddressHashes, now: datetime) -> Carried | None:
    """Carry over what readers did since; None: the former ledger cannot be read."""
    import structlog

    from newsletter.store.copies.carrying import carry_over

    try:
        return await carry_over(store, ready, former, hashes, now=now)
    except StoreError as error:
        structlog.get_logger(__name__).warning("former_ledger_not_read", reason=str(error))
        return None


def _put_in_place(
    settings: Settings, ledger: Path | None, ready: Path, former: Path | None, now: datetime
) -> Path | None:
    """Put a copy in the place of the ledger; return where the ledger is now that was there."""
    import asyncio

    from newsletter.store import name_of
    from newsletter.store.copies.placing import place
    from newsletter.store.copies.postgresql import load_into_postgresql

    if ledger is not None:
        kept_as = _kept_as(ledger, now)
        place(ready, ledger, kept_as=kept_as)
        return kept_as if former else None
    url = settings.database.url.get_secret_value()
    asyncio.run(bootstrap.upgrade_database(settings))
    load_into_postgresql(url, ready, where=name_of(url))
    return former

"""`newsletter db restore`: what the backup does not know is decided, and what readers did since is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from newsletter.core.delivery import DeliveryState
from newsletter.core.erasure import AddressHashes
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.ports import Store
from newsletter.store import open_store
from tests.backups.conftest import sqlite_url
from tests.cli.conftest import Call
from tests.store.samples import NOW, frozen, join, keys, of_list, paper, record, subscriber

FIRST = 1  # the number of reader0

Act = Callable[[Store], Awaitable[Any]]


async def within(url: str, act: Act, **options: Any) -> Any:
    store = await open_store(url, **options)
    try:
        return await act(store)
    finally:
        await store.close()


async def begun(store: Store) -> None:
    """Let there be papers, and an issue that three readers are to get."""
    await record(store, paper(1), paper(2))
    await frozen(store, 3)


async def command(call: Call, *words: str) -> Any:
    """Run a command in a thread of its own, as it has an event loop of its own; return what it printed as JSON."""
    code, out, err = await asyncio.to_thread(call, *words, "--json")
    assert code == 0, err
    return json.loads(out)


async def states(store: Store) -> list[DeliveryState]:
    return [one.state for one in await store.outbox.records()]


async def test_what_was_due_since_the_backup_counts_as_sent_and_what_readers_did_is_kept(
    ledger: str, folder: Path, call: Call
) -> None:
    await within(ledger, begun)
    made = await command(call, "db", "backup", "copy.db")
    hashes = AddressHashes(((folder / "var" / "secret_key").read_text(),))

    async def since(store: Store) -> None:
        await store.high_water.advance()
        await store.subscribers.leave(FIRST, reason="unsubscribed", now=NOW)
        await store.personal_data.erase("reader1@example.org", now=NOW)
        await join(store, subscriber("-new", origin=Origin.WEB), subscriber("-file", origin=Origin.FILE))

    await within(ledger, since, hashes=hashes)
    done = await command(call, "db", "restore", made["file"], "--assume-sent-until", "now")

    async def look(store: Store) -> None:
        known = {one.email: one.status for one in await of_list(store)}
        assert known == {
            "": SubscriberStatus.REMOVED,
            "reader0@example.org": SubscriberStatus.UNSUBSCRIBED,
            "reader2@example.org": SubscriberStatus.ACTIVE,
            "reader-new@example.org": SubscriberStatus.ACTIVE,
        }
        assert set(await states(store)) == {DeliveryState.SENT}
        assert await store.personal_data.erased_since("reader1@example.org") is not None
        assert len(await keys(store)) == 2

    await within(ledger, look, hashes=hashes)
    assert done["counted"] == 3
    assert done["carried"] == {"suppressions": 1, "erased": 1, "readers": 1}
    assert (await within(sqlite_url(Path(done["replaced"])), states)) != []

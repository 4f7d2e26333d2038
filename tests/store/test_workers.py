"""Workers that die: what they held is brought back at once, and what living ones hold is left alone."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from newsletter.core.delivery import Delivery, DeliveryState, Uncertain, begun
from newsletter.ports import Store
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import NOW, attempt, frozen

_ROOT = Path(__file__).resolve().parents[2]

# Claims three deliveries, begins one, and waits to be killed.
_WORKER = """
import asyncio, sys
from newsletter.core.delivery import begun
from newsletter.store import open_store
from tests.claiming import claim
from tests.store.samples import NOW

async def work(url):
    store = await open_store(url)
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=NOW, limit=3)
        await store.outbox.record([begun(claimed[0], NOW)])
        print(worker, flush=True)
        await asyncio.Event().wait()

asyncio.run(work(sys.argv[1]))
"""


async def work_and_die(store: Store) -> tuple[str, list[Delivery]]:
    """Claim three deliveries, begin the first two, settle the first, and leave without a word."""
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=NOW, limit=3)
        await attempt(store, claimed[0], DeliveryState.SENT)
        await store.outbox.record([begun(claimed[1], NOW)])
    return worker, claimed


async def states(store: Store) -> Sequence[DeliveryState]:
    return [record.state for record in await store.outbox.records()]


async def test_what_a_dead_worker_held_is_queued_again_under_resend(store: Store) -> None:
    await frozen(store, 4)
    worker, claimed = await work_and_die(store)
    assert await store.outbox.dead_workers() == [worker]

    assert await store.outbox.recover(Uncertain.RESEND, now=NOW) == 1

    assert await states(store) == ["sent", "queued", "queued", "queued"]
    assert await store.outbox.dead_workers() == []
    async with store.outbox.worker() as other:
        again = await claim(store.outbox, other, now=NOW, limit=9)
    assert [(one.key, one.attempts) for one in again[:2]] == [(claimed[1].key, 1), (claimed[2].key, 0)]


async def test_what_was_in_flight_is_uncertain_under_hold(store: Store) -> None:
    await frozen(store, 4)
    await work_and_die(store)

    assert await store.outbox.recover(Uncertain.HOLD, now=NOW) == 1

    assert await states(store) == ["sent", "uncertain", "queued", "queued"]
    assert (await store.outbox.records(states=[DeliveryState.UNCERTAIN]))[0].reason == "cut off in flight"


async def test_recovering_a_second_time_finds_nothing(store: Store) -> None:
    await frozen(store, 3)
    await work_and_die(store)
    await store.outbox.recover(Uncertain.HOLD, now=NOW)

    assert await store.outbox.recover(Uncertain.RESEND, now=NOW) == 0
    assert await states(store) == ["sent", "uncertain", "queued"]


async def test_what_living_workers_hold_is_left_alone(opened: Opener) -> None:
    mine, other = await opened(), await opened()
    await frozen(mine, 2)
    async with mine.outbox.worker() as worker:
        [claimed, _] = await claim(mine.outbox, worker, now=NOW, limit=2)
        await mine.outbox.record([begun(claimed, NOW)])

        for store in (mine, other):
            assert await store.outbox.dead_workers() == []
            assert await store.outbox.recover(Uncertain.RESEND, now=NOW) == 0
            assert await claim(store.outbox, "another", now=NOW, limit=9) == []
    assert await states(mine) == ["sending", "queued"]


async def test_recovery_can_be_narrowed_to_some_dead_workers(store: Store) -> None:
    await frozen(store, 6)
    first, _ = await work_and_die(store)
    second, _ = await work_and_die(store)
    assert await store.outbox.dead_workers() == sorted([first, second])

    assert await store.outbox.recover(Uncertain.HOLD, now=NOW, workers=[second]) == 1

    assert await store.outbox.dead_workers() == [first]


async def test_a_delivery_that_was_begun_without_a_claim_is_not_lost(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.outbox.release(worker, [claimed.key])
        await store.outbox.record([begun(claimed, NOW)])

    assert await store.outbox.recover(Uncertain.HOLD, now=NOW) == 1
    assert await states(store) == ["uncertain"]


async def test_recoveries_at_once_bring_each_delivery_back_once(opened: Opener) -> None:
    stores = [await opened() for _ in range(3)]
    await frozen(stores[0], 3)
    await work_and_die(stores[0])

    found = await asyncio.gather(*(one.outbox.recover(Uncertain.HOLD, now=NOW) for one in stores))

    assert sum(found) == 1
    assert await states(stores[0]) == ["sent", "uncertain", "queued"]


async def test_a_worker_that_is_killed_is_known_as_dead_at_once(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await frozen(store, 4)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, url, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    worker = (await process.stdout.readline()).decode().strip()
    try:
        assert await store.outbox.dead_workers() == []
        assert await store.outbox.recover(Uncertain.RESEND, now=NOW) == 0

        process.send_signal(signal.SIGKILL)
        await process.wait()

        assert await dies(store, worker)
        assert await store.outbox.recover(Uncertain.RESEND, now=NOW) == 1
        assert await states(store) == ["queued"] * 4
        async with store.outbox.worker() as other:
            assert len(await claim(store.outbox, other, now=NOW, limit=9)) == 4
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def dies(store: Store, worker: str) -> bool:
    """Wait until a worker is known as dead: on SQLite that is now, on PostgreSQL when the server has noticed."""
    async with asyncio.timeout(30):
        while await store.outbox.dead_workers() != [worker]:
            pass
    return True


async def test_files_of_dead_workers_are_tidied_up_and_those_of_the_living_are_kept(
    open_at: Opener, tmp_path: Path
) -> None:
    store = await open_at(f"sqlite:///{tmp_path}/newsletter.db")
    folder = tmp_path / "newsletter.db.workers"
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        (folder / "left-behind").touch()
        await store.outbox.recover(Uncertain.HOLD, now=NOW)
        assert [path.name for path in folder.glob("[!.]*")] == [worker]
    assert list(folder.glob("[!.]*")) == []


async def test_a_store_in_memory_of_sqlite_has_workers_too(open_at: Opener) -> None:
    store = await open_at("sqlite://")
    await frozen(store, 3)
    await work_and_die(store)

    assert await store.outbox.recover(Uncertain.RESEND, now=NOW) == 1


@pytest.mark.parametrize("policy", list(Uncertain))
async def test_recovering_an_empty_outbox_is_fine(store: Store, policy: Uncertain) -> None:
    assert await store.outbox.recover(policy, now=NOW) == 0

from __future__ import annotations

import asyncio
from dataclasses import replace

from newsletter.ports import SlowDown, SlowDownKind, Store
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW

SLOW = SlowDown(
    kind=SlowDownKind.DOMAIN,
    name="slow.example",
    since=NOW - HOUR,
    until=NOW + HOUR,
    times=3,
    reason="451 4.7.0 zu viele Briefe, λ",
    forgotten_at=NOW + 2 * HOUR,
)
DOWN = SlowDown(
    kind=SlowDownKind.RELAY, name="relay.example:587", since=NOW, given_up=True, forgotten_at=NOW + HOUR
)


async def test_what_was_noted_is_known_by_whoever_opens_the_store(store: Store, opened: Opener) -> None:
    await store.slow_downs.note([DOWN, SLOW], now=NOW)

    assert await (await opened()).slow_downs.known(now=NOW) == [SLOW, DOWN]


async def test_what_is_noted_again_takes_the_place_of_what_was_known(store: Store) -> None:
    await store.slow_downs.note([SLOW, DOWN], now=NOW)
    changed = replace(SLOW, times=4, until=None, reason="")

    await store.slow_downs.note([changed], now=NOW)

    assert await store.slow_downs.known(now=NOW) == [changed, DOWN]


async def test_a_domain_and_a_relay_may_have_one_name(store: Store) -> None:
    relay = replace(DOWN, name=SLOW.name)
    await store.slow_downs.note([SLOW, relay], now=NOW)

    await store.slow_downs.note([], over=[(SLOW.kind, SLOW.name)], now=NOW)

    assert await store.slow_downs.known(now=NOW) == [relay]


async def test_what_is_over_and_comes_back_at_once_is_known(store: Store) -> None:
    await store.slow_downs.note([SLOW], now=NOW)

    await store.slow_downs.note([SLOW], over=[(SLOW.kind, SLOW.name), (DOWN.kind, DOWN.name)], now=NOW)

    assert await store.slow_downs.known(now=NOW) == [SLOW]


async def test_what_is_forgotten_counts_for_nothing_and_is_tidied_up(store: Store) -> None:
    await store.slow_downs.note([SLOW, DOWN], now=NOW)

    assert await store.slow_downs.known(now=NOW + HOUR) == [SLOW]
    await store.slow_downs.note([], now=NOW + HOUR)
    assert await store.slow_downs.known(now=NOW) == [SLOW]


async def test_processes_may_note_the_same_things_at_once(store: Store, opened: Opener) -> None:
    stores = [store, *[await opened() for _ in range(3)]]
    both = [SLOW, DOWN]

    await asyncio.gather(*(one.slow_downs.note(both[:: 1 - 2 * (i % 2)], now=NOW) for i, one in enumerate(stores)))

    assert await store.slow_downs.known(now=NOW) == both

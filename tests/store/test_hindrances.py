from __future__ import annotations

import asyncio
from dataclasses import replace

from newsletter.ports import Hindrance, HindranceKind, Store
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW

SLOW = Hindrance(
    kind=HindranceKind.DOMAIN,
    name="slow.example",
    since=NOW - HOUR,
    until=NOW + HOUR,
    times=3,
    reason="451 4.7.0 zu viele Briefe, λ",
    forgotten_at=NOW + 2 * HOUR,
)
DOWN = Hindrance(
    kind=HindranceKind.RELAY, name="relay.example:587", since=NOW, given_up=True, forgotten_at=NOW + HOUR
)


async def test_what_was_noted_is_known_by_whoever_opens_the_store(store: Store, opened: Opener) -> None:
    await store.hindrances.note([DOWN, SLOW], now=NOW)

    assert await (await opened()).hindrances.known(now=NOW) == [SLOW, DOWN]


async def test_what_is_noted_again_takes_the_place_of_what_was_known(store: Store) -> None:
    await store.hindrances.note([SLOW, DOWN], now=NOW)
    changed = replace(SLOW, times=4, until=None, reason="")

    await store.hindrances.note([changed], now=NOW)

    assert await store.hindrances.known(now=NOW) == [changed, DOWN]


async def test_a_domain_and_a_relay_may_have_one_name(store: Store) -> None:
    relay = replace(DOWN, name=SLOW.name)
    await store.hindrances.note([SLOW, relay], now=NOW)

    await store.hindrances.note([], over=[(SLOW.kind, SLOW.name)], now=NOW)

    assert await store.hindrances.known(now=NOW) == [relay]


async def test_what_is_over_and_comes_back_at_once_is_known(store: Store) -> None:
    await store.hindrances.note([SLOW], now=NOW)

    await store.hindrances.note([SLOW], over=[(SLOW.kind, SLOW.name), (DOWN.kind, DOWN.name)], now=NOW)

    assert await store.hindrances.known(now=NOW) == [SLOW]


async def test_what_is_forgotten_counts_for_nothing_and_is_tidied_up(store: Store) -> None:
    await store.hindrances.note([SLOW, DOWN], now=NOW)

    assert await store.hindrances.known(now=NOW + HOUR) == [SLOW]
    await store.hindrances.note([], now=NOW + HOUR)
    assert await store.hindrances.known(now=NOW) == [SLOW]


async def test_processes_may_note_the_same_things_at_once(store: Store, opened: Opener) -> None:
    stores = [store, *[await opened() for _ in range(3)]]
    both = [SLOW, DOWN]

    await asyncio.gather(*(one.hindrances.note(both[:: 1 - 2 * (i % 2)], now=NOW) for i, one in enumerate(stores)))

    assert await store.hindrances.known(now=NOW) == both

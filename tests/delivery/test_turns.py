"""How many connections go on in a turn of the event loop."""

from __future__ import annotations

import asyncio
from collections import Counter

from newsletter.delivery.turns import Turns


async def turns_of(count: int, each: int) -> list[int]:
    """Return the turn of the loop in which each of some connections went on."""
    turns, went_on, turn = Turns(each), list[int](), 0

    async def connection() -> None:
        await turns.take()
        went_on.append(turn)

    working = [asyncio.create_task(connection()) for _ in range(count)]
    while not all(task.done() for task in working):
        turn += 1
        await asyncio.sleep(0)
    return went_on


async def test_no_more_than_so_many_go_on_in_a_turn_and_all_do_soon() -> None:
    went_on = await turns_of(20, each=3)
    assert len(went_on) == 20
    assert max(Counter(went_on).values()) == 3
    assert max(went_on) <= 20 // 3 + 4


async def test_without_visitors_all_go_on_at_once() -> None:
    assert set(await turns_of(20, each=0)) == {1}


async def test_who_came_first_goes_on_first() -> None:
    turns, order = Turns(each=1), list[int]()

    async def connection(number: int) -> None:
        for _ in range(3):
            await turns.take()
            order.append(number)
            await asyncio.sleep(0)  # the relay answers

    await asyncio.gather(*(connection(number) for number in range(4)))
    assert order == [0, 1, 2, 3] * 3


async def test_who_is_cancelled_while_waiting_keeps_nobody_from_going_on() -> None:
    turns = Turns(each=1)
    waiting = [asyncio.create_task(turns.take()) for _ in range(6)]
    await asyncio.sleep(0)
    for task in waiting[1:4]:
        task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting, return_exceptions=True)
    assert [task.cancelled() for task in waiting] == [False, True, True, True, False, False]


async def test_who_can_go_on_at_once_takes_nobodys_turn() -> None:
    turns = Turns(each=2)
    assert [turns.take_at_once() for _ in range(3)] == [True, True, False]
    waiting = [asyncio.create_task(turns.take()) for _ in range(5)]
    await asyncio.sleep(0)
    assert not turns.take_at_once()
    await asyncio.gather(*waiting)


async def test_without_visitors_nobody_is_told_to_wait() -> None:
    turns = Turns(each=0)
    assert all(turns.take_at_once() for _ in range(20))

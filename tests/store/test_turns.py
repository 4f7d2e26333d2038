"""Work that one process does at a time."""

from __future__ import annotations

import pytest

from newsletter.ports import Store
from tests.store.conftest import Opener


async def test_of_two_who_begin_the_same_work_one_does_it_and_others_do_other_work(
    store: Store, opened: Opener
) -> None:
    other = await opened()
    async with store.turns.alone("letters") as mine:
        async with other.turns.alone("letters") as theirs, other.turns.alone("tidying") as beside:
            assert (mine, theirs, beside) == (True, False, True)
        async with store.turns.alone("letters") as again:
            assert not again
    async with other.turns.alone("letters") as theirs:
        assert theirs


async def test_work_that_fails_leaves_the_turn_to_others(store: Store, opened: Opener) -> None:
    with pytest.raises(ValueError, match="of a letter"):
        async with store.turns.alone("letters"):
            raise ValueError("of a letter")
    async with (await opened()).turns.alone("letters") as theirs:
        assert theirs

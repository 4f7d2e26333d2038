"""The mark that tells an older copy of the ledger from one that others work with at the same time."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import override

from newsletter.pipeline.high_water import HighWaterMark
from newsletter.ports import HighWater, Reached
from newsletter.store import open_store


class _Overtaken(HighWater):
    """A ledger that another process of the same folder takes further right after the first look at it."""

    def __init__(self, ledger: HighWater, other: HighWaterMark) -> None:
        self._ledger, self._other = ledger, other
        self._looks = 0

    @override
    async def read(self) -> Reached:
        reached = await self._ledger.read()
        self._looks += 1
        if self._looks == 1:
            await self._other.advance()
        return reached

    @override
    async def advance(self, *, at_least: int = 0) -> int:
        return await self._ledger.advance(at_least=at_least)

    @override
    async def accept(self, *, at_least: int) -> int:
        return await self._ledger.accept(at_least=at_least)


async def test_a_process_that_works_meanwhile_makes_no_older_copy_of_the_ledger(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/newsletter.db")
    other = HighWaterMark(store.high_water, tmp_path)
    await other.advance()

    await HighWaterMark(_Overtaken(store.high_water, other), tmp_path).check()
    is_older = await HighWaterMark(_Overtaken(store.high_water, other), tmp_path).is_older()

    await store.close()
    assert not is_older

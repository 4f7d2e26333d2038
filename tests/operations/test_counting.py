from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from newsletter.operations.counting import Counting
from newsletter.ports import Grown

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)


@dataclass
class SlowGrowth:
    """Takes some seconds to count."""

    takes: float
    at: float = 1000.0
    counted: int = 0

    async def count(self, *, now: datetime) -> None:
        assert now == NOW
        self.counted += 1
        self.at += self.takes

    async def since(self, day: date, *, list_name: str | None = None) -> Grown:
        raise NotImplementedError(day, list_name)


async def test_counting_takes_a_hundredth_of_the_time_at_most() -> None:
    growth = SlowGrowth(takes=2.0)
    counting = Counting(growth, lambda: growth.at)
    for _ in range(3000 // 30):
        await counting.count(NOW)
        growth.at += 30
    assert 10 <= growth.counted <= 3000 / 200 + 1


async def test_few_readers_are_counted_whenever_it_is_asked_for() -> None:
    growth = SlowGrowth(takes=0.01)
    counting = Counting(growth, lambda: growth.at)
    for _ in range(10):
        assert await counting.count(NOW)
        growth.at += 30

"""Three days of the workflow; `make rehearse` rehearses a fortnight."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.rehearsal.world import READERS, world

FIRST = date(2026, 3, 9)
EVERYBODY = {reader.partition("@")[0] for reader in READERS}
LOST = "Run"  # the step after which a machine is gone


def at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 3, 8 + day, hour, minute, tzinfo=UTC)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_late_double_and_lost_runs_bring_nobody_an_issue_twice(tmp_path: Path) -> None:
    async with world(tmp_path, [FIRST + timedelta(days=number) for number in range(3)]) as here:

        async def run(moment: datetime, *, dies_after: str = "", **inputs: str) -> str:
            here.set_clock(moment)
            ran = await here.run(dies_after=dies_after, **inputs)
            assert not ran.failed, ran.output
            return ran.output

        here.set_clock(at(1, 4, 10))
        nothing_kept = await here.run()  # a ledger that is missing is no new beginning
        assert nothing_kept.failed
        assert "nobody knows what was sent" in nothing_kept.output
        await run(at(1, 4, 23), first="true")
        here.given["vars.PAGES_URL"] = "https://you.github.io/papers"
        here.set_clock(at(1, 8, 23))
        assert {"daily/index.html", "daily/feed.atom"} <= (await here.run()).pages
        del here.given["vars.PAGES_URL"]
        assert here.got(0) == {"london": 1}

        here.set_clock(at(1, 16, 40))
        both = await asyncio.gather(here.run(), here.run())
        assert not any(ran.failed for ran in both), [ran.output for ran in both]
        assert here.got(0) == {"london": 1, "york": 1, "angeles": 1}
        await run(at(2, 4, 40))  # twelve hours later
        assert here.got(0) == dict.fromkeys(EVERYBODY, 1)

        here.leave("london@example.org")
        # It reads that London leaves, makes the issue and sends New York's copy.
        await run(at(2, 12, 10), dies_after=LOST)
        assert here.got(1) == {"york": 1}
        assert "another run is sending, or was cut off" in await run(at(2, 12, 30))
        await run(at(2, 15, 5))
        await run(at(3, 4, 40))
        assert here.got(1) == dict.fromkeys(EVERYBODY - {"london"}, 1)

        held = await run(at(3, 4, 50), command="deliveries list --state uncertain --json")
        assert re.findall(r"\w+@example.org", held) == ["york@example.org"]

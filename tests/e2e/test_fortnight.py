"""Two weeks of a community page, day by day, its server failing in every way: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import httpx2
import pytest

from tests.e2e.workplace import Workplace, part
from tests.services import shared

FIRST, LAST = date(2025, 6, 2), date(2025, 6, 16)
FAULTS = {
    date(2025, 6, 2): "429 2",
    date(2025, 6, 3): "500 2",
    date(2025, 6, 4): "truncated 2",
    date(2025, 6, 5): "slow 1",
    date(2025, 6, 6): "html 2",
    date(2025, 6, 9): "reset 2",
    date(2025, 6, 10): "503 1",
    date(2025, 6, 11): "500 60",  # down for the whole run
}


@asynccontextmanager
async def replayed() -> AsyncIterator[str]:
    """Run the server that answers with recordings; gives its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, shared("replay", "serve.py"), "--port", "0", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        line = (await process.stderr.readline()).decode()
        yield f"http://127.0.0.1:{line.rsplit(':', 1)[1].strip()}"
    finally:
        process.kill()
        await process.communicate()


def papers_of(kind: str) -> set[str]:
    """Return the ids of all papers in the recordings of a kind."""
    return {
        entry["paper"]["id"]
        for path in shared("responses", "huggingface").glob(f"2025-06-*.{kind}.json")
        for entry in json.loads(path.read_text())
    }


@pytest.mark.timeout(600)  # eleven runs, each with its waits for a failing server
async def test_every_paper_reaches_the_reader_exactly_once(workplace: Workplace) -> None:
    async with replayed() as url, httpx2.AsyncClient(base_url=url) as server:
        workplace.environment |= {
            "NEWSLETTER_HUGGINGFACE__URL": url,
            "NEWSLETTER_HTTP__TIMEOUT": "2",
            "NEWSLETTER_HTTP__RETRIES": "3",
        }
        workplace.list_file(["huggingface"])
        day = FIRST
        while day <= LAST:
            if day.weekday() < 5:
                await server.post("/__now", content=f"{day}T07:45:00Z")
                if fault := FAULTS.get(day):
                    await server.post("/__fault", content=fault)
                done = await workplace.run("run", "--date", day.isoformat(), "--json")
                assert done.code in {0, 69}, done.err
                if fault == "500 60":  # the rest of the faults must not meet the next day
                    while (await server.get("/api/daily_papers")).status_code == 500:
                        pass
            day += timedelta(days=1)
    mailed: Counter[str] = Counter()
    for mail in workplace.mails():
        for subtype in ("plain", "html"):
            ids = set(re.findall(r"huggingface\.co/papers/(\d{4}\.\d{5})", part(mail, subtype)))
            if subtype == "plain":
                mailed.update(ids)
            else:
                assert ids <= set(mailed)
    assert not papers_of("final") - set(mailed)
    assert [paper for paper, times in mailed.items() if times != 1] == []

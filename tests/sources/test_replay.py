from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.core.errors import SourceError
from tests.services import shared
from tests.sources.conftest import Build, Replay

FAULTS = ["429", "500", "503", "truncated", "slow", "html", "reset"]
MONDAY = date(2025, 6, 2)


def ids_of(day: date, phase: str) -> list[str]:
    recorded = shared("responses", "huggingface", f"{day}.{phase}.json")
    ids = (record["paper"]["id"] for record in json.loads(recorded.read_text("utf-8")))
    return list(dict.fromkeys(ids))  # one recorded page shows a paper twice


async def test_a_fortnight_is_read_in_the_morning_and_again_the_next_day(source: Build, replay: Replay) -> None:
    papers = source("huggingface", base=replay.url)
    for offset in range(12):
        day = MONDAY + timedelta(days=offset)
        for phase, read_on in (("morning", day), ("final", day + timedelta(days=1))):
            if shared("responses", "huggingface").joinpath(f"{day}.{phase}.json").exists():
                moment = datetime(read_on.year, read_on.month, read_on.day, 7, 45, tzinfo=UTC)
                replay.now(moment.isoformat())
                page = await papers.read(day, now=moment)
                assert [entry.listing.arxiv_id for entry in page.entries] == ids_of(day, phase)
                assert not page.skipped


async def test_tomorrow_is_not_there_yet(source: Build, replay: Replay) -> None:
    now = datetime(2025, 6, 2, 7, 45, tzinfo=UTC)
    assert not (await source("huggingface", base=replay.url).read(date(2025, 6, 3), now=now)).entries


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_that_passes_loses_nothing(fault: str, source: Build, replay: Replay) -> None:
    replay.fail(fault, 1 if fault == "slow" else 4)
    page = await source("huggingface", base=replay.url).read(MONDAY, now=datetime(2025, 6, 2, 7, 45, tzinfo=UTC))
    assert [entry.listing.arxiv_id for entry in page.entries] == ids_of(MONDAY, "morning")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "slow"])
async def test_a_fault_that_stays_is_one_line_and_passes_with_the_next_run(
    fault: str, source: Build, replay: Replay
) -> None:
    papers = source("huggingface", base=replay.url)
    now = datetime(2025, 6, 2, 7, 45, tzinfo=UTC)
    replay.fail(fault, 5)
    with pytest.raises(SourceError, match=r"\Ahuggingface: 127\.0\.0\.1:\d+: [^\n]+ \(tried 5 times\)\Z"):
        await papers.read(MONDAY, now=now)
    assert len((await papers.read(MONDAY, now=now)).entries) == len(ids_of(MONDAY, "morning"))


@pytest.mark.parametrize(
    ("spec", "papers"), [("arxiv:cs.AI", 3), ("arxiv_search:cat:cs.AI", 25), ("feed:{}/atom/cs.AI", 7)]
)
@pytest.mark.parametrize("fault", ["429", "truncated", "html", "reset"])
async def test_other_sources_wait_out_faults_too(
    spec: str, papers: int, fault: str, source: Build, replay: Replay
) -> None:
    replay.fail(fault, 2)
    page = await source(spec.format(replay.url), base=replay.url).read(
        MONDAY, now=datetime(2025, 6, 2, 7, 45, tzinfo=UTC)
    )
    assert len(page.entries) == papers
    assert not page.skipped

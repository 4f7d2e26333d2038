"""Summaries by a model, from the commands to the mail: the issue goes out in its time whatever the model does."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.store import open_store
from tests.e2e.workplace import Done, Workplace, part
from tests.model_server import Asked, ModelServer, model_server
from tests.model_shapes import json_reply

pytestmark = pytest.mark.without_workers

KEY = "sk-test-0123456789abcdefghijklmnop"
DAY = "2026-03-12"
PAPERS = 6
SUMMARIES = '\n[summaries]\nmode = "all"\n'


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


def title(number: int) -> str:
    return f"Sound Graphs of the Kind {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number]}"


def said_of(asked: Asked) -> str:
    return f"The authors study {asked.paper['title'].lower()} and show that they are sound."


def prepare(workplace: Workplace, server: ModelServer, *, papers: int = PAPERS, more: str = SUMMARIES) -> None:
    """Write a list that wants summaries of some papers, and the settings of its model."""
    rows = [
        {
            "title": title(number),
            "url": f"https://example.org/{number}",
            "abstract": f"We study {title(number)}. All.",
        }
        for number in range(papers)
    ]
    path = workplace.folder / f"papers-{DAY}.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    (workplace.folder / "subscribers").mkdir(exist_ok=True)
    workplace.list_file(["jsonl:../papers-*.jsonl"])
    file = workplace.folder / "subscribers" / "daily.toml"
    before, members, after = file.read_text().partition("[[subscribers]]")
    file.write_text(before + more + "\n" + members + after)
    server.says = said_of
    workplace.environment |= {
        "NEWSLETTER_SUMMARIES__URL": server.url,
        "NEWSLETTER_SUMMARIES__KEY": KEY,
        "NEWSLETTER_SUMMARIES__MODEL": "some-model",
        "NEWSLETTER_LOG__LEVEL": "info",
    }


async def run(workplace: Workplace, *words: str) -> dict[str, Any]:
    """Run the list for the day; return the report."""
    done = await workplace.run("run", "--date", DAY, "--json", *words)
    assert done.code == 0, done.err
    assert KEY not in done.out + done.err
    report: dict[str, Any] = done.json
    return report


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, two minutes at most."""
    for _ in range(2400):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not come to that")


async def summaries(workplace: Workplace) -> list[str]:
    """Return the summaries that the day's issue was closed with."""
    store = await open_store(f"sqlite:///{workplace.folder}/var/newsletter.db")
    try:
        issue = await store.issues.find("daily", date.fromisoformat(DAY))
    finally:
        await store.close()
    assert issue is not None
    return [one.machine.text for one in issue.listings if one.machine]


def asked_for(server: ModelServer) -> Counter[str]:
    return Counter(asked.paper["title"] for asked in server.asked)


async def test_summaries_are_made_once_and_stand_in_the_mail(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server)
    collected = await workplace.run("collect", "--date", DAY, "--json")
    assert collected.code == 0, collected.err
    assert collected.json[0]["summaries"]["made"] == PAPERS
    report = await run(workplace)
    assert (report["status"], report["summaries"]["known"]) == ("sent", PAPERS)
    assert asked_for(server) == {title(number): 1 for number in range(PAPERS)}
    assert {asked.key for asked in server.asked} == {KEY}
    [mail] = workplace.mails()
    for kind in ("plain", "html"):
        text = " ".join(part(mail, kind).split())
        assert f"The authors study {title(0).lower()} and show that they are sound." in text
        assert "some-model" in text

    again = await run(workplace)
    assert (again["status"], len(server.asked)) == ("sent", PAPERS)
    assert "summaries" not in again
    status = await workplace.run("status", "--json")
    usage = status.json[0]["models"]["some-model"]
    assert (usage["requests"], usage["refused"]) == (PAPERS, 0)
    assert usage["tokens_in"] > 0
    shown = await workplace.run("status")
    assert f"some-model: {PAPERS} requests" in shown.out


@pytest.mark.parametrize(
    ("fault", "seconds", "most_asked"),
    [
        ("401", 20, 4),
        ("402", 20, 4),
        ("404_model", 20, 4),
        ("429_wait_600", 20, 4),
        ("500", 20, 6),
        ("cut", 20, 6),
        ("length", 20, 6),
        ("html", 20, 4),
        ("in_200", 20, 6),
        ("closed", 20, 6),
    ],
)
async def test_a_model_that_fails_costs_no_issue(
    fault: str, seconds: float, most_asked: int, workplace: Workplace, server: ModelServer
) -> None:
    prepare(workplace, server)
    wait = {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}
    server.always = json_reply(wait, 429, Retry_After="600") if fault == "429_wait_600" else fault
    begun = monotonic()
    report = await run(workplace)
    assert monotonic() - begun < 60 + seconds
    assert report["status"] == "sent"
    counts = report["summaries"]
    assert (counts["made"], counts["known"], counts["refused"]) == (0, 0, 0)
    assert counts["failed"] + counts["left"] == PAPERS
    assert counts["reasons"]
    assert len(server.asked) <= most_asked
    [mail] = workplace.mails()
    assert f"We study {title(0)}." in part(mail, "plain")
    status = await workplace.run("status", "--json")
    causes = [alarm["cause"] for alarm in status.json[0]["alarms"]]
    assert causes == ["summaries"] * (fault in {"401", "402", "404_model", "html"})
    assert KEY not in status.out + status.err


async def test_a_model_that_hangs_costs_no_issue(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server)
    server.always = "hang"
    workplace.environment["NEWSLETTER_SUMMARIES__TIMEOUT"] = "2"
    begun = monotonic()
    report = await run(workplace)
    assert monotonic() - begun < 60
    assert report["status"] == "sent"
    assert report["summaries"]["failed"] + report["summaries"]["left"] == PAPERS


async def test_a_busy_model_is_asked_again_when_it_says(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server)
    server.faults += [json_reply({"error": {"message": "slow down"}}, 429, Retry_After="2")]
    report = await run(workplace)
    assert report["summaries"]["made"] == PAPERS
    assert len(server.asked) == PAPERS + 1


async def test_without_a_model_the_reason_is_told(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server)
    for name in ("URL", "KEY", "MODEL"):
        del workplace.environment[f"NEWSLETTER_SUMMARIES__{name}"]
    report = await run(workplace)
    [reason] = report["summaries"]["reasons"]
    assert "NEWSLETTER_SUMMARIES__URL" in reason
    assert (report["status"], report["summaries"]["left"]) == ("sent", PAPERS)


async def test_a_killed_run_pays_for_nothing_twice_but_what_was_in_flight(
    workplace: Workplace, server: ModelServer
) -> None:
    papers, at_once = 16, 2
    prepare(workplace, server, papers=papers)
    workplace.environment |= {
        "NEWSLETTER_SUMMARIES__CONCURRENCY": str(at_once),
        "NEWSLETTER_SUMMARIES__TIMEOUT": "10",
    }
    server.delay = 0.4
    process = await workplace.start("collect", "--date", DAY)
    await until(lambda: len(server.asked) >= papers // 2)
    process.kill()
    await process.communicate()
    server.delay = 0.0
    first = len(server.asked)
    assert first < papers

    report = await run(workplace)
    assert report["status"] == "sent"
    counts = report["summaries"]
    assert counts["made"] + counts["known"] == papers, counts
    counted = asked_for(server)
    assert len(counted) == papers
    twice = [name for name, number in counted.items() if number > 1]
    assert len(twice) <= at_once
    assert max(counted.values()) <= 2
    assert len(await summaries(workplace)) == papers


async def test_two_runs_at_once_ask_for_each_paper_once(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server, papers=12)
    server.delay = 0.2
    ended = await asyncio.gather(*(workplace.run("run", "--date", DAY, "--json") for _ in range(2)))
    assert [done.code for done in ended] == [0, 0], [done.err for done in ended]
    assert asked_for(server) == {title(number): 1 for number in range(12)}
    assert len(workplace.mails()) == 1
    assert len(await summaries(workplace)) == 12


async def test_the_limit_of_a_day_holds_over_two_processes(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server, papers=12)
    workplace.environment["NEWSLETTER_SUMMARIES__PER_DAY"] = "5"
    ended = await asyncio.gather(*(workplace.run("collect", "--date", DAY, "--json") for _ in range(2)))
    assert [done.code for done in ended] == [0, 0], [done.err for done in ended]
    assert len(server.asked) == 5
    assert any("PER_DAY" in reason for done in ended for reason in done.json[0]["summaries"]["reasons"])


async def test_a_closed_issue_needs_neither_model_nor_cache(workplace: Workplace, server: ModelServer) -> None:
    prepare(workplace, server)
    await run(workplace)
    before = await rendered(workplace)
    assert "some-model" in before.out
    engine = sa.create_engine(f"sqlite:///{workplace.folder}/var/newsletter.db")
    with engine.begin() as connection:
        for table in ("machine_texts", "model_usage", "renderings"):
            connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 (names of tables)
    engine.dispose()
    for name in ("URL", "KEY", "MODEL"):
        del workplace.environment[f"NEWSLETTER_SUMMARIES__{name}"]
    after = await rendered(workplace)
    assert after.out == before.out
    assert len(server.asked) == PAPERS


async def rendered(workplace: Workplace) -> Done:
    done = await workplace.run("render", "--list", "daily", "--date", DAY)
    assert done.code == 0, done.err
    return done


async def test_what_is_looked_at_shows_what_is_known_and_asks_nobody(
    workplace: Workplace, server: ModelServer
) -> None:
    prepare(workplace, server)
    rehearsed = await workplace.run("run", "--date", DAY, "--dry-run")
    assert rehearsed.code == 0, rehearsed.err
    assert "some-model" not in (await rendered(workplace)).out
    assert server.asked == []
    await workplace.run("collect", "--date", DAY)
    assert "some-model" in (await rendered(workplace)).out
    assert len(server.asked) == PAPERS


async def test_the_scheduler_makes_the_issue_at_its_hour_though_the_model_hangs(
    workplace: Workplace, server: ModelServer
) -> None:
    prepare(workplace, server)
    server.always = "hang"
    workplace.environment |= {"NEWSLETTER_SUMMARIES__TIMEOUT": "2", "NEWSLETTER_SCHEDULE__TICK": "1"}
    workplace.set_clock(datetime(2026, 3, 12, 8, 0, tzinfo=UTC) - timedelta(seconds=3))
    process = await workplace.start("scheduler")
    begun = monotonic()
    await until(lambda: bool(workplace.mails()))
    assert monotonic() - begun < 60 + 30
    process.terminate()
    done = await workplace.end(process)
    assert KEY not in done.out + done.err
    assert await summaries(workplace) == []

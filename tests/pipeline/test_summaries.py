"""Texts of papers by a model: each once, in time, whatever the model does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from newsletter.bootstrap import packaged_templates
from newsletter.core.errors import StoreError, SummarizerError, SummarizerSetupError
from newsletter.core.issue import Draft
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary, SummaryMode, SummaryRule
from newsletter.operations.alarms import LedgerAlarm
from newsletter.pipeline.asking import Model
from newsletter.pipeline.summaries import Summaries
from newsletter.ports import MachineText, ModelAnswer, Store, Summarizer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.prompts import Prompts
from newsletter.store import open_store
from tests.store.samples import draft, in_issue, keys, record

ALL = SummaryRule(mode=SummaryMode.ALL)
GERMAN = replace(ALL, language="de")
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)

Says = Callable[[str], "str | Exception | ModelAnswer"]


def one_sentence(title: str) -> str:
    return f"The authors study {title} and show that it is sound."


@dataclass
class Scribe(Summarizer):
    """Says what a test tells it to say of a title; `HANGS` is never said."""

    says: Says = one_sentence
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    delay: float = 0.0
    at_once: int = 0
    most: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    @override
    def model(self) -> str:
        return "scribe"

    @override
    async def write(self, instructions: str, data: str) -> ModelAnswer:
        title = json.loads(data)["title"]
        self.asked.append(title)
        self.begun.set()
        self.told.append(instructions)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(self.delay)
            said = self.says(title)
            if said == HANGS:
                await asyncio.Event().wait()
        finally:
            self.at_once -= 1
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, ModelAnswer) else ModelAnswer(text=said, tokens_in=100, tokens_out=10)


HANGS = "(hangs)"


@dataclass
class Office:
    """Makes summaries with a scribe, and remembers what is wanted."""

    store: Store
    drafted: Draft
    scribe: Scribe = field(default_factory=Scribe)
    per_day: int = 1000
    concurrency: int = 2
    now: datetime = NOW
    templates: Path | None = None

    def summaries(self) -> Summaries:
        """Return what a process has that begins now."""
        model = Model(
            summarizer=self.scribe,
            prompts=Prompts(TemplateRenderer(self.templates, packaged_templates())),
            concurrency=self.concurrency,
            per_day=self.per_day,
            timeout=30.0,
        )
        alarm = LedgerAlarm(self.store.alarms, [], lambda: self.now)
        return Summaries(model, self.store.machine_texts, alarm, lambda: self.now)

    async def make(self, rule: SummaryRule = ALL, *, time: float = 20.0) -> dict[str, Any]:
        """Make them in a process that begins now; return the counts."""
        return (await self.summaries().make(self.drafted, rule, time=time)).as_json()

    async def shown(self, rule: SummaryRule = ALL) -> list[MachineSummary | None]:
        """Return what the papers of the issue show."""
        made = await self.summaries().added(self.drafted, rule)
        return [one.machine for one in made.listings]

    async def alarms(self) -> list[tuple[str, str, bool]]:
        found = await self.store.alarms.newest(limit=10)
        return [(one.cause.value, one.subject, one.over_at is not None) for one in found]

    async def requests(self) -> int:
        usage = await self.store.machine_texts.usage(since=self.now)
        return usage["scribe"].requests if usage else 0


def listing(letter: str, **values: Any) -> Listing:
    return Listing(
        **{"title": f"Graphs {letter}", "abstract": f"We study Graphs {letter}, which is sound.", **values}
    )


async def office_of(store: Store, *listings: Listing) -> Office:
    """Give papers to a store, and return an office for an issue that holds them in this order."""
    await record(store, *listings)
    known = await keys(store)
    placed = [in_issue(known[one.title], rank, one) for rank, one in enumerate(listings, start=1)]
    return Office(store, draft(*placed))


@pytest.fixture
async def office(store: Store) -> Office:
    """One with an issue of five papers."""
    return await office_of(store, *map(listing, "ABCDE"))


def counted(counts: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if name != "reasons" and number}


async def test_texts_are_made_best_paper_first_and_are_known_from_then_on(office: Office) -> None:
    assert await office.shown() == [None] * 5
    assert counted(await office.make()) == {"made": 5}
    assert office.scribe.asked == [f"Graphs {letter}" for letter in "ABCDE"]
    assert counted(await office.make()) == {"known": 5}
    assert len(office.scribe.asked) == 5
    first = (await office.shown())[0]
    assert first == MachineSummary(text=one_sentence("Graphs A"), language="en", model="scribe")
    assert await office.requests() == 5


async def test_as_many_are_asked_for_at_once_as_the_settings_say(office: Office) -> None:
    office.scribe.delay = 0.5
    summaries, weekly = office.summaries(), replace(office.drafted, listings=office.drafted.listings[::-1])
    await asyncio.gather(*(summaries.make(one, ALL, time=20) for one in (office.drafted, weekly)))
    assert office.scribe.most == 2
    assert len(office.scribe.asked) == 5


async def test_a_list_that_wants_none_asks_nobody(office: Office) -> None:
    assert counted(await office.make(SummaryRule())) == {}
    assert office.scribe.asked == []
    await office.make()
    assert await office.shown(SummaryRule()) == [None] * 5


async def test_only_what_has_no_short_text_is_asked_for_where_the_list_says_so(store: Store) -> None:
    office = await office_of(
        store,
        listing("A", summary="Short."),
        listing("B", ai_summary="Short."),
        listing("C"),
        listing("D", abstract=" "),
    )
    counts = await office.make(SummaryRule(mode=SummaryMode.MISSING))
    assert counts == {
        "made": 1,
        "known": 0,
        "refused": 0,
        "failed": 0,
        "left": 1,
        "reasons": {"left: no abstract": 1},
    }
    assert office.scribe.asked == ["Graphs C"]


async def test_the_title_is_asked_for_where_the_language_is_another_and_the_summary_is_used(store: Store) -> None:
    office = await office_of(store, listing("A"), listing("B"), listing("C"))
    office.scribe.says = lambda title: {
        "Graphs A": "Die Autoren untersuchen die Graphen A und zeigen, dass sie gut sind.",
        "Graphs B": "",
    }.get(title, ModelAnswer(text="", refusal="the model refuses to write of this paper"))
    counts = await office.make(GERMAN)
    assert sorted(office.scribe.asked) == ["Graphs A", "Graphs A", "Graphs B", "Graphs C"]
    assert len(set(office.scribe.told)) == 2
    assert "German" in office.scribe.told[0]
    assert counts["refused"] == 3  # … the title is a sentence that is far too long for one
    first, *others = await office.shown(GERMAN)
    assert first is not None
    assert (first.title, first.language) == ("", "de")
    assert others == [None, None]


async def test_a_translated_title_is_shown_with_its_summary(store: Store) -> None:
    office = await office_of(store, listing("A", title="Sound Graphs for Everybody"))
    says = iter(["Die Autoren untersuchen die Graphen und zeigen, dass sie gut sind.", "Solide Graphen für alle"])
    office.scribe.says = lambda _: next(says)
    assert counted(await office.make(GERMAN)) == {"made": 2}
    [shown] = await office.shown(GERMAN)
    assert shown is not None
    assert shown.title == "Solide Graphen für alle"


async def test_what_is_refused_is_logged_counted_and_not_asked_for_again(office: Office) -> None:
    office.scribe.says = lambda title: (
        one_sentence(title) + (" It wins by 93.7 points." if title[-1] == "B" else "")
    )
    with capture_logs() as logs:
        counts = await office.make()
    assert counted(counts) == {"made": 4, "refused": 1}
    [reason] = counts["reasons"]
    assert "93.7" in reason
    [refused] = [one for one in logs if one["event"] == "summary_refused"]
    assert (refused["paper"], refused["kind"]) == ("title:graphs b", "summary")
    [told] = [one for one in logs if one["event"] == "summaries_made"]
    assert (told["made"], told["refused"], told["model"]) == (4, 1, "scribe")

    assert counted(await office.make()) == {"known": 4, "refused": 1}
    assert len(office.scribe.asked) == 5
    assert (await office.shown())[1] is None


async def test_a_model_that_is_set_up_wrongly_is_left_alone_with_one_alarm(office: Office) -> None:
    summaries = office.summaries()
    office.scribe.says = lambda _: SummarizerSetupError(
        "scribe: no such key; set NEWSLETTER_SUMMARIES__KEY", asked=False
    )
    first = await summaries.make(office.drafted, ALL, time=20)
    second = await summaries.make(office.drafted, ALL, time=20)
    assert len(office.scribe.asked) <= office.concurrency
    assert first.as_json()["failed"] + first.as_json()["left"] == 5
    assert counted(second.as_json()) == {"left": 5}
    assert "left: scribe: no such key; set NEWSLETTER_SUMMARIES__KEY" in second.as_json()["reasons"]
    assert await office.alarms() == [("summaries", "scribe", False)]
    assert await office.requests() == 0  # none of them was taken

    await office.make()  # the next run finds it still wrong, and rings no second time
    assert await office.alarms() == [("summaries", "scribe", False)]
    office.scribe.says = one_sentence
    assert counted(await office.make()) == {"made": 5}
    assert await office.alarms() == [("summaries", "scribe", True)]


async def test_a_busy_server_is_asked_again_after_its_time(office: Office) -> None:
    begun, busy = monotonic(), iter([True, True])
    office.scribe.says = lambda title: (
        SummarizerError("busy", wait=0.3, asked=False) if next(busy, False) else one_sentence(title)
    )
    assert counted(await office.make()) == {"made": 5}
    assert monotonic() - begun >= 0.3
    assert await office.requests() == 5


async def test_a_server_that_is_busy_for_longer_than_the_time_is_left_alone(office: Office) -> None:
    office.scribe.says = lambda _: SummarizerError("busy for ten minutes", wait=600, asked=False)
    begun = monotonic()
    counts = await office.make()
    assert monotonic() - begun < 5
    assert len(office.scribe.asked) <= office.concurrency
    assert counts["failed"] + counts["left"] == 5
    assert "left: busy for ten minutes" in counts["reasons"]


async def test_a_server_that_stays_busy_opens_the_breaker(office: Office) -> None:
    office.scribe.says = lambda _: SummarizerError("busy", wait=0.01)
    counts = await office.make()
    assert len(office.scribe.asked) <= 3 * office.concurrency
    assert "left: 3 requests in a row failed: busy" in counts["reasons"]


async def test_three_failures_in_a_row_open_the_breaker_for_all_lists_of_the_run(store: Store) -> None:
    office = await office_of(store, *map(listing, "ABCDEFGHIJ"))
    office.scribe.says = lambda _: SummarizerError("answered 500")
    summaries = office.summaries()
    counts = (await summaries.make(office.drafted, ALL, time=20)).as_json()
    assert 3 <= len(office.scribe.asked) <= 3 + office.concurrency - 1
    assert counts["failed"] == len(office.scribe.asked)
    assert counts["failed"] + counts["left"] == 10
    asked = len(office.scribe.asked)
    await summaries.make(office.drafted, ALL, time=20)
    assert len(office.scribe.asked) == asked

    office.scribe.says = one_sentence  # what failed may be asked for again at once, by the next run
    assert counted(await office.make()) == {"made": 10}
    assert await office.alarms() == []


async def test_failures_between_answers_are_those_of_single_papers(office: Office) -> None:
    office.scribe.says = lambda title: SummarizerError("cut off") if title[-1] in "BD" else one_sentence(title)
    counts = await office.make()
    assert counted(counts) == {"made": 3, "failed": 2}
    assert counts["reasons"] == {"failed: cut off": 2}
    office.scribe.says = one_sentence
    assert counted(await office.make()) == {"made": 2, "known": 3}


async def test_a_model_that_hangs_takes_no_more_than_the_time_and_is_then_left_alone(office: Office) -> None:
    office.scribe.says = lambda _: HANGS
    summaries, begun = office.summaries(), monotonic()
    counts = await summaries.make(office.drafted, ALL, time=0.3)
    assert counted(counts.as_json()) == {"left": 5}
    assert counts.as_json()["reasons"] == {"left: the time of 0.3 seconds is over": 5}
    assert office.scribe.at_once == 0
    await summaries.make(office.drafted, ALL, time=20)  # another list of the same run
    assert monotonic() - begun < 5
    assert len(office.scribe.asked) == 2


async def test_what_was_in_flight_may_be_paid_for_and_is_left_alone_for_its_time(office: Office) -> None:
    office.scribe.says = lambda title: HANGS if title[-1] == "B" else one_sentence(title)
    counts = await office.make(time=4)
    assert counted(counts) == {"made": 4, "left": 1}
    office.scribe.says = one_sentence
    counts = await office.make(time=0.7)
    assert counted(counts) == {"known": 4, "left": 1}
    office.now += timedelta(seconds=41)
    assert counted(await office.make()) == {"made": 1, "known": 4}
    assert office.scribe.asked.count("Graphs B") == 2


async def test_an_answer_that_is_there_is_kept_though_the_time_ends(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = office.store.machine_texts.keep

    async def slowly(*args: Any, **values: Any) -> None:
        await asyncio.sleep(2)
        await keep(*args, **values)

    office.concurrency = 1
    monkeypatch.setattr(office.store.machine_texts, "keep", slowly)
    assert counted(await office.make(time=1.5))["made"] == 1
    monkeypatch.undo()
    assert counted(await office.make())["known"] == 1
    assert office.scribe.asked.count("Graphs A") == 1


async def test_a_stop_ends_it_at_once(office: Office) -> None:
    office.scribe.says = lambda _: HANGS
    making = asyncio.ensure_future(office.make())
    await office.scribe.begun.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert office.scribe.at_once == 0


async def test_the_limit_of_a_day_holds_over_runs_and_ends_at_midnight_utc(office: Office) -> None:
    office.per_day = 3
    counts = await office.make()
    assert counted(counts) == {"made": 3, "left": 2}
    assert counts["reasons"] == {
        "left: no more requests are made today (UTC): NEWSLETTER_SUMMARIES__PER_DAY is 3": 2
    }
    office.now = NOW.replace(hour=23, minute=59)
    assert counted(await office.make()) == {"known": 3, "left": 2}
    office.now = NOW.replace(hour=0) + timedelta(days=1)
    assert counted(await office.make()) == {"made": 2, "known": 3}
    assert len(office.scribe.asked) == 5


async def test_two_processes_at_once_ask_for_each_paper_once_and_both_have_all(tmp_path: Path) -> None:
    stores = [await open_store(f"sqlite:///{tmp_path}/ledger.db") for _ in range(2)]
    try:
        one = await office_of(stores[0], *map(listing, "ABCDEFGHIJ"))
        other = replace(one, store=stores[1])
        counts = await asyncio.gather(one.make(), other.make())
        assert sorted(one.scribe.asked) == [f"Graphs {letter}" for letter in "ABCDEFGHIJ"]
        assert [each["made"] + each["known"] for each in counts] == [10, 10]
        assert sum(each["made"] for each in counts) == 10
    finally:
        for store in stores:
            await store.close()


async def test_a_defect_costs_one_text_and_is_logged_in_full(office: Office) -> None:
    office.scribe.says = lambda title: RuntimeError("a defect") if title[-1] == "C" else one_sentence(title)
    with capture_logs() as logs:
        counts = await office.make()
    assert counted(counts) == {"made": 4, "failed": 1}
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["summary_broke"]


async def test_a_ledger_that_fails_costs_no_issue(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(office.store.machine_texts, "reserve", fails)
    counts = await office.make()
    assert counts["reasons"] == {"left: the disk is full": 5}


async def test_a_prompt_that_is_wrong_costs_no_issue_and_rings(office: Office, tmp_path: Path) -> None:
    prompt = tmp_path / "prompts" / "summary.txt"
    prompt.parent.mkdir()
    prompt.write_text("Write in {{ tongue }}.", encoding="utf-8")
    office.templates = tmp_path
    counts = await office.make()
    assert counted(counts) == {"left": 5}
    [reason] = counts["reasons"]
    assert "prompts/summary.txt" in reason
    assert await office.shown() == [None] * 5
    assert await office.alarms() == [("summaries", "scribe", False)]

    prompt.write_text("Write in {{ language }}.", encoding="utf-8")
    assert counted(await office.make()) == {"made": 5}
    assert office.scribe.told[-1] == "Write in English."
    assert await office.alarms() == [("summaries", "scribe", True)]


async def test_another_prompt_another_language_and_another_model_are_other_texts(
    office: Office, tmp_path: Path
) -> None:
    await office.make()
    assert await office.shown(replace(ALL, language="en-GB")) == [None] * 5
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "summary.txt").write_text("Be brief.", encoding="utf-8")
    office.templates = tmp_path
    assert await office.shown() == [None] * 5
    assert counted(await office.make()) == {"made": 5}


async def test_a_text_that_a_changed_paper_no_longer_bears_out_is_not_shown(office: Office) -> None:
    key = office.drafted.listings[0].key
    await office.make()
    changed = replace(
        office.drafted.listings[0], listing=listing("A", abstract="We study 12 graphs, all of them sound.")
    )
    made = await office.summaries().added(replace(office.drafted, listings=(changed,)), ALL)
    assert made.listings[0].machine is not None

    recipe_of = office.summaries()
    says = "The authors study 13 graphs and show that they are sound."
    await office.store.machine_texts.keep(
        key,
        recipe_of._recipe(*_summary_recipe(recipe_of)),
        MachineText(text=says),
        tokens_in=0,
        tokens_out=0,
        now=NOW,
    )
    made = await office.summaries().added(replace(office.drafted, listings=(changed,)), ALL)
    assert made.listings[0].machine is None


def _summary_recipe(summaries: Summaries) -> tuple[Any, str, str]:
    from newsletter.core.machine_summary import MachineTextKind

    told = summaries._model.prompts.instructions(MachineTextKind.SUMMARY, "en")
    return MachineTextKind.SUMMARY, "en", told


async def test_a_day_without_news_asks_for_nothing(office: Office) -> None:
    office.drafted = replace(office.drafted, candidates=0)
    assert counted(await office.make()) == {}
    assert office.scribe.asked == []


async def test_what_a_model_is_given_is_bounded(store: Store) -> None:
    office = await office_of(store, listing("A", abstract="We study graphs. " * 10_000))
    seen: list[int] = []
    write = office.scribe.write

    async def measured(instructions: str, data: str) -> ModelAnswer:
        seen.append(len(json.loads(data)["abstract"]))
        return await write(instructions, data)

    office.scribe.write = measured  # type: ignore[method-assign]
    await office.make()
    assert seen == [6000]

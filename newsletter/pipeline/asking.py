"""Asking a model for the texts that an issue's papers lack: several at once, within a time."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from newsletter.core.errors import NewsletterError, SummarizerError, SummarizerSetupError
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineTextKind, Recipe
from newsletter.core.machine_text.check import RefusedTextError, checked
from newsletter.core.summarizing import WantedPaper
from newsletter.pipeline.model_health import ModelHealth
from newsletter.pipeline.summary_counts import SummaryCounts
from newsletter.ports import Clock, MachineText, MachineTexts, ModelAnswer, Summarizer
from newsletter.render.prompts import Prompts

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_MOST_OF_ABSTRACT = 6000  # characters; longer ones say what a paper does before that
_SPARE = timedelta(seconds=10)  # that a reservation outlasts its request: for the check, and clocks that differ
_LOOK_AGAIN = 0.5  # seconds between two looks at what another process asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model, and how much it is asked.

    Attributes:
        summarizer: the model.
        prompts: what it is told to do.
        concurrency: how many requests this process makes at once.
        per_day: how many are made on a day (UTC) over all processes.
        timeout: seconds after which a request has failed.
    """

    summarizer: Summarizer
    prompts: Prompts
    concurrency: int
    per_day: int
    timeout: float


@dataclass(slots=True, kw_only=True)
class Asking:
    """Asks a model for what an issue lacks, once; `counts` tell what came of it.

    Attributes:
        model: what is asked.
        texts: where its texts are kept.
        health: what is known of it just now.
        places: for requests that are made at once, over all lists of this process.
        clock: gives the present moment; reservations must hold for other processes, however old this run is.
        instructions: what it is told, by kind of text.
        recipes: how texts are made, by kind.
        counts: what came of it.
    """

    model: Model
    texts: MachineTexts
    health: ModelHealth
    places: asyncio.Semaphore
    clock: Clock
    instructions: Mapping[MachineTextKind, str]
    recipes: Mapping[MachineTextKind, Recipe]
    counts: SummaryCounts
    _papers: deque[WantedPaper] = field(default_factory=deque)
    _elsewhere: list[WantedPaper] = field(default_factory=list)  # of which another process has reserved a text
    _time: float = 0.0  # seconds that there are
    _ends: float = 0.0  # by the clock of the event loop
    _requests: int = 0
    _answers: int = 0

    async def run(self, papers: Iterable[WantedPaper], time: float) -> None:
        """Ask for what is not known of papers, in their order, until the time (in seconds) is over.

        What is in flight then stays reserved for a while: it may be paid for, and its answer is lost. Work on the
        ledger is not cut off.
        """
        self._time, self._ends = time, asyncio.get_running_loop().time() + time
        await self._take(papers)
        await self._all()
        if not self._left and self._requests and not self._answers:
            self.health.hangs(f"no answer within {time:g} seconds")

    @property
    def _left(self) -> float:
        """Return how many seconds are left."""
        return max(self._ends - asyncio.get_running_loop().time(), 0.0)

    async def _take(self, papers: Iterable[WantedPaper]) -> None:
        """Take up papers, but for what is known of them."""
        wanted = list(papers)
        for kind, recipe in self.recipes.items():
            open_ = [paper.key for paper in wanted if self.counts.is_open(paper.key, kind)]
            for key, text in (await self.texts.known(open_, recipe)).items():
                self._done(key, kind, "refused" if text.refusal else "known", text.refusal)
        self._papers.extend(
            paper for paper in wanted if any(self.counts.is_open(paper.key, kind) for kind in paper.kinds)
        )

    async def _all(self) -> None:
        while True:
            await asyncio.gather(*(self._work() for _ in range(self.model.concurrency)))
            if self._is_over() or not self._elsewhere:
                return
            await asyncio.sleep(_LOOK_AGAIN)
            again, self._elsewhere = self._elsewhere, []
            await self._take(again)

    def _is_over(self) -> bool:
        if trouble := self.health.trouble:
            self.counts.stop(trouble)
        if not self._left:
            self.counts.stop(f"the time of {self._time:g} seconds is over")
        return bool(self.counts.stopped)

    async def _work(self) -> None:
        """Take paper after paper; nothing that goes wrong leaves this, or the others would go on alone."""
        try:
            while self._papers and not self._is_over():
                async with self.places:
                    await asyncio.sleep(min(self.health.pause, self._left))
                    if self._papers and not self._is_over():
                        await self._paper(self._papers.popleft())
        except NewsletterError as error:  # of the ledger
            log.warning("summaries_cut_short", reason=str(error))
            self.counts.stop(str(error))
        except Exception:
            log.exception("summaries_broke")
            self.counts.stop("internal error")

    async def _paper(self, paper: WantedPaper) -> None:
        for kind in paper.kinds:
            if self.counts.is_open(paper.key, kind) and not await self._text(paper, kind):
                return

    async def _text(self, paper: WantedPaper, kind: MachineTextKind) -> bool:
        """Have a text written if it may be asked for now; return whether an answer came."""
        recipe, now = self.recipes[kind], self.clock()
        if not await self._reserved(paper, recipe, now):
            return False
        begun, self._requests, limit = self.health.begun(), self._requests + 1, asyncio.timeout(self._left)
        try:
            async with limit:
                answer = await self.model.summarizer.write(self.instructions[kind], _data(paper.listing))
        except SummarizerError as error:
            self._answers += 1
            unasked = int(not error.asked)
            await _to_its_end(self.texts.give_back([paper.key], recipe, unasked=unasked, now=now))
            await self._failed(paper, kind, error, begun)
            return False
        except Exception:
            if limit.expired():
                return False
            log.exception("summary_broke", paper=str(paper.listing.id), kind=kind.value)
            await _to_its_end(self.texts.give_back([paper.key], recipe, unasked=0, now=now))
            self.health.broke()
            self._done(paper.key, kind, "failed", "internal error")
            return False
        self._answers += 1
        await _to_its_end(self._keep(paper, kind, answer))
        return True

    async def _reserved(self, paper: WantedPaper, recipe: Recipe, now: datetime) -> bool:
        """Reserve a text; return whether it may be asked for."""
        most, until = self.model.per_day, now + timedelta(seconds=self.model.timeout) + _SPARE
        got = await _to_its_end(self.texts.reserve([paper.key], recipe, most_a_day=most, now=now, until=until))
        if got.is_spent:
            setting = f"NEWSLETTER_SUMMARIES__PER_DAY is {most:,}"
            self.counts.stop(f"no more requests are made today (UTC): {setting}")
        elif not got.papers:
            self._elsewhere.append(paper)
        return bool(got.papers)

    async def _failed(
        self, paper: WantedPaper, kind: MachineTextKind, error: SummarizerError, begun: float
    ) -> None:
        if isinstance(error, SummarizerSetupError):
            await self.health.is_set_up_wrongly(str(error))
        elif self.health.failed(error, begun, self._left):
            self._papers.appendleft(paper)
            return
        log.info("summary_failed", paper=str(paper.listing.id), kind=kind.value, reason=str(error))
        self._done(paper.key, kind, "failed", str(error))

    async def _keep(self, paper: WantedPaper, kind: MachineTextKind, answer: ModelAnswer) -> None:
        recipe = self.recipes[kind]
        text = await asyncio.to_thread(_checked, paper, kind, answer, recipe.language)
        tokens = {"tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out}
        await self.texts.keep(paper.key, recipe, text, **tokens, now=self.clock())
        await self.health.works()
        if text.refusal:
            log.info("summary_refused", paper=str(paper.listing.id), kind=kind.value, reason=text.refusal)
        self._done(paper.key, kind, "refused" if text.refusal else "made", text.refusal)

    def _done(self, key: int, kind: MachineTextKind, what: str, reason: str) -> None:
        self.counts.done(key, kind, what, reason)
        if kind is MachineTextKind.SUMMARY and what in {"refused", "failed"}:
            self.counts.without_use(key, MachineTextKind.TITLE)


def _data(listing: Listing) -> str:
    """Return what a model is given of a paper."""
    abstract = listing.abstract[:_MOST_OF_ABSTRACT]
    return json.dumps({"title": listing.title, "abstract": abstract}, ensure_ascii=False)


def _checked(paper: WantedPaper, kind: MachineTextKind, answer: ModelAnswer, language: str) -> MachineText:
    """Return what of an answer is used, or why nothing is."""
    listing = paper.listing
    if answer.refusal:
        return MachineText(refusal=answer.refusal)
    try:
        text = checked(answer.text, kind=kind, title=listing.title, abstract=listing.abstract, language=language)
    except RefusedTextError as error:
        return MachineText(refusal=str(error))
    except Exception:  # it is kept, too: to ask again would cost the same and end the same
        log.exception("summary_not_checked", paper=str(listing.id), kind=kind.value)
        return MachineText(refusal="it could not be checked")
    return MachineText(text=text)


async def _to_its_end(work: Coroutine[None, None, Result]) -> Result:
    """Do some short work on the ledger, which is finished even if the run is stopped meanwhile."""
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        with suppress(NewsletterError):
            await doing
        raise

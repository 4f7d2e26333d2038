"""Summaries: have a model write of an issue's papers what the list wants of it. Safe to repeat, and twice at once.

Each text is reserved in the ledger before it is asked for, and kept as soon as it is there. So a killed process
costs no more than the requests that were in flight, and two processes share the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic

import structlog

from newsletter.core.errors import NewsletterError, RenderError
from newsletter.core.issue import Draft
from newsletter.core.machine_summary import MachineTextKind, Recipe, SummaryMode, SummaryRule
from newsletter.core.summarized import with_machine_texts
from newsletter.core.summarizing import Wanted, wanted
from newsletter.pipeline.asking import Asking, Model
from newsletter.pipeline.model_health import ModelHealth
from newsletter.pipeline.summary_counts import SummaryCounts
from newsletter.ports import Clock, MachineText, MachineTexts, OperatorAlarm

log = structlog.get_logger(__name__)


class Summaries:
    """Texts of papers by one model, for all lists of a process."""

    def __init__(self, model: Model, texts: MachineTexts, alarm: OperatorAlarm, clock: Clock) -> None:
        """Take what is asked and how much, where its texts are kept, who is told of trouble, and the clock."""
        self._model = model
        self._texts = texts
        self._clock = clock
        self._health = ModelHealth(model.summarizer.model, alarm, monotonic)
        self._places = asyncio.Semaphore(model.concurrency)

    async def make(self, draft: Draft, rule: SummaryRule, *, time: float) -> SummaryCounts:
        """Have what an issue lacks written, best papers first, and return what came of it.

        Nothing that goes wrong here is raised: the papers go out as they are. It is logged and counted.

        Args:
            draft: what the issue would hold now.
            rule: what the list wants.
            time: seconds after which what is left waits for the next run.
        """
        counts = SummaryCounts()
        found = wanted(draft, rule)
        for reason, number in found.left_out.items():
            counts.left(reason, number)
        if draft.is_quiet or not found.papers:
            return counts
        try:
            await self._make(found, rule, counts, time)
        except NewsletterError as error:
            log.warning("summaries_not_made", reason=str(error))
            counts.stop(str(error))
        except Exception:  # a defect must not stop the issue; it is logged in full
            log.exception("summaries_broke")
            counts.stop("internal error")
        counts.end()
        log.info("summaries_made", model=self._model.summarizer.model, **counts.as_json())
        return counts

    async def _make(self, found: Wanted, rule: SummaryRule, counts: SummaryCounts, time: float) -> None:
        counts.open(found.papers)
        try:
            instructions = _instructions(self._model, rule.language)
        except RenderError as error:
            await self._health.is_set_up_wrongly(str(error))
            raise
        recipes = {kind: self._recipe(kind, rule.language, told) for kind, told in instructions.items()}
        asking = Asking(
            model=self._model,
            texts=self._texts,
            health=self._health,
            places=self._places,
            clock=self._clock,
            instructions=instructions,
            recipes=recipes,
            counts=counts,
        )
        await asking.run(found.papers, time)

    async def added(self, draft: Draft, rule: SummaryRule) -> Draft:
        """Return a draft with the texts that are known. No model is asked.

        Raises:
            StoreError: the ledger cannot be read.
        """
        if rule.mode is SummaryMode.OFF:
            return draft
        keys = [paper.key for paper in wanted(draft, rule).papers]
        try:
            instructions = _instructions(self._model, rule.language)
        except RenderError as error:
            log.warning("summaries_not_shown", reason=str(error))
            return draft
        known: dict[MachineTextKind, Mapping[int, MachineText]] = {}
        for kind, told in instructions.items():
            known[kind] = await self._texts.known(keys, self._recipe(kind, rule.language, told))
        texts = {kind: {key: one.text for key, one in of_kind.items()} for kind, of_kind in known.items()}
        model = self._model.summarizer.model
        # In a thread: all texts are checked once more.
        return await asyncio.to_thread(with_machine_texts, draft, texts, rule, model)

    def _recipe(self, kind: MachineTextKind, language: str, instructions: str) -> Recipe:
        prompt = self._model.prompts.digest(instructions)
        return Recipe(kind=kind, language=language, prompt=prompt, model=self._model.summarizer.model)


def _instructions(model: Model, language: str) -> dict[MachineTextKind, str]:
    """Return what a model is told to do, by kind of text.

    Raises:
        RenderError: a prompt's template is wrong.
    """
    return {kind: model.prompts.instructions(kind, language) for kind in MachineTextKind}

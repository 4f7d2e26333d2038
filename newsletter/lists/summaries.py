"""`[summaries]` of a list file: of which papers a model writes a summary, in which language, what is shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from newsletter.core.machine_summary import SummaryMode, SummaryRule, SummaryShow
from newsletter.lists.tables import STRICT, reads
from newsletter.lists.values import did_you_mean, read_language


def _read_mode(text: str) -> SummaryMode:
    try:
        return SummaryMode(text)
    except ValueError:
        raise ValueError(f"unknown mode {text!r}{did_you_mean(text, SummaryMode)}") from None


def _read_show(text: str) -> SummaryShow:
    try:
        return SummaryShow(text)
    except ValueError:
        raise ValueError(f"unknown way {text!r}{did_you_mean(text, SummaryShow)}") from None


class SummariesTable(BaseModel):
    """`[summaries]`; the defaults are those of `core.machine_summary`, and the language is the list's."""

    model_config = STRICT

    mode: Annotated[SummaryMode, reads(lambda text, _: _read_mode(text), SummaryMode)] = SummaryRule().mode
    language: Annotated[str, reads(lambda text, _: read_language(text))] | None = None
    show: Annotated[SummaryShow, reads(lambda text, _: _read_show(text), SummaryShow)] = SummaryRule().show

    def to_rule(self, language: str) -> SummaryRule:
        """Return the rule as core knows it; `language` is the tag of the list's."""
        return SummaryRule(mode=self.mode, language=self.language or language, show=self.show)

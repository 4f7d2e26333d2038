"""A paper in the words of a model: what a list wants of it, and what an issue holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SummaryMode(StrEnum):
    """For which papers of a list a model writes a summary."""

    OFF = "off"  # none
    MISSING = "missing"  # those of which no source has a short text
    ALL = "all"


class SummaryShow(StrEnum):
    """What is shown of a paper that has a summary by a model."""

    SUMMARY = "summary"
    BOTH = "both"  # the summary, and what is shown of papers without one


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRule:
    """What a list wants of summaries; `language` is the tag of the one in which they are."""

    mode: SummaryMode = SummaryMode.OFF
    language: str = "en"
    show: SummaryShow = SummaryShow.SUMMARY


class MachineTextKind(StrEnum):
    """What a model writes of a paper."""

    SUMMARY = "summary"  # a sentence or two that say what it does
    TITLE = "title"  # its title, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSummary:
    """What a model wrote of a paper, checked, but not reviewed; never shown without saying so.

    Attributes:
        text: a sentence or two, plain.
        language: the tag of its language.
        model: who wrote it, by the name under which the operator asks for it.
        title: the paper's title in that language; empty where it is not translated.
        show: what is shown.
    """

    text: str
    language: str
    model: str
    title: str = ""
    show: SummaryShow = SummaryShow.SUMMARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How texts are made; where it is the same, a paper needs no second one.

    Attributes:
        kind: what is written.
        language: the tag of the language.
        prompt: a digest of what the model is told to do.
        model: who is asked.
    """

    kind: MachineTextKind
    language: str
    prompt: str
    model: str

"""Texts of papers by a model: asking for them, and keeping them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.core.machine_summary import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What a model answered, as it came: nothing of it is checked. `tokens` are 0 where the server names none.

    `refusal` says in plain words why the model, or its server, will write nothing of this paper; then `text` is
    empty.
    """

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    refusal: str = ""


class Summarizer(Protocol):
    """A model that answers in text."""

    @property
    def model(self) -> str:
        """Return the name under which the operator asks for it."""
        ...

    async def write(self, instructions: str, data: str) -> ModelAnswer:
        """Ask once, and return the answer.

        Args:
            instructions: what the model is to do.
            data: what it is to do that with: words of strangers, which it is not to obey.

        Raises:
            SummarizerSetupError: it will not answer before a setting changes, or somebody pays.
            SummarizerError: it did not answer now; says whether the answer may have been paid for.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineText:
    """What became of a request: a text that was checked, or why what the model wrote is not used."""

    text: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsage:
    """What was asked of models in some time."""

    requests: int = 0
    refused: int = 0  # answers that were not used
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What may be asked for.

    Attributes:
        papers: numbers of listings that the caller may ask for.
        is_spent: whether some could not be had because the day's requests are used up.
    """

    papers: Sequence[int]
    is_spent: bool = False


class MachineTexts(Protocol):
    """What models wrote of papers. Each text is asked for once, over all processes and lists.

    Papers are named by the store's numbers of their listings. A listing that was merged meanwhile is the one that
    it became part of.
    """

    async def known(self, papers: Collection[int], recipe: Recipe) -> Mapping[int, MachineText]:
        """Return what was made of papers by a recipe.

        Args:
            papers: numbers of listings.
            recipe: how.
        """
        ...

    async def reserve(
        self, papers: Sequence[int], recipe: Recipe, *, most_a_day: int, now: datetime, until: datetime
    ) -> Reserved:
        """Return those of some papers that the caller may ask for now, and count these requests.

        What is known is left out, and so is what another process has reserved and may still be asking for.

        Args:
            papers: numbers of listings, the most important first.
            recipe: how.
            most_a_day: how many requests may be made on one day (UTC), over all processes, lists and models.
            now: the present moment, aware.
            until: when others may ask for them if nothing was kept; aware.
        """
        ...

    async def keep(
        self, paper: int, recipe: Recipe, text: MachineText, *, tokens_in: int, tokens_out: int, now: datetime
    ) -> None:
        """Keep what became of a request, in place of the reservation; `now` is aware."""
        ...

    async def give_back(self, papers: Collection[int], recipe: Recipe, *, unasked: int, now: datetime) -> None:
        """Let others ask for papers of which nothing came.

        Args:
            papers: numbers of listings that were reserved; what is made of them meanwhile stays.
            recipe: how.
            unasked: how many requests were not made, so that they do not count.
            now: when they were reserved, aware: its day (UTC) is the one that they are taken off.
        """
        ...

    async def usage(self, *, since: datetime) -> Mapping[str, ModelUsage]:
        """Return what was asked of each model since a moment (aware; its day in UTC counts whole)."""
        ...

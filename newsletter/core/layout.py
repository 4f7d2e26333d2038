"""How a mail shows what a reader gets: a lead, cards, and lines in brief. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.choice import Choice

# With so few papers there is room to show each in full.
ROOMY_UP_TO = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How many papers a mail shows as cards, beside the lead; what is left are lines."""

    for_you: int = 5  # cards of papers that fit the reader's wishes
    also_today: int = 3  # cards of papers that come because everybody gets them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """The positions of a choice by section of the mail, each in the reader's order; a section may be empty."""

    lead: tuple[int, ...] = ()  # one, or none
    for_you: tuple[int, ...] = ()
    also_today: tuple[int, ...] = ()
    brief: tuple[int, ...] = ()

    @property
    def is_roomy(self) -> bool:
        """Return whether there are so few papers that each is shown in full."""
        return len(self.lead + self.for_you + self.also_today + self.brief) <= ROOMY_UP_TO


def sections(choice: Choice, layout: Layout) -> Sections:
    """Return how a choice is shown: first the lead, then what fits the reader's wishes, then what everybody gets.

    Where nothing fits the wishes, the cards of that section go to the other one. With few papers all are cards.
    """
    lead, rest = choice.positions[:1], list(zip(choice.positions, choice.reasons, strict=True))[1:]
    matching = [position for position, reasons in rest if reasons]
    others = [position for position, reasons in rest if not reasons]
    for_you, also = layout.for_you, layout.also_today
    if not matching:
        for_you, also = 0, for_you + also
    if len(choice.positions) <= ROOMY_UP_TO:
        for_you, also = len(matching), len(others)
    cards = {*matching[:for_you], *others[:also]}
    return Sections(
        lead=lead,
        for_you=tuple(matching[:for_you]),
        also_today=tuple(others[:also]),
        brief=tuple(position for position in choice.positions[1:] if position not in cards),
    )

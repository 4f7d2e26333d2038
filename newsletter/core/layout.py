"""How a mail shows what a reader gets: a lead, cards, lines in brief, and the days of a week. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain

from newsletter.core.choice import Choice

# With so few papers there is room to show each in full.
ROOMY_UP_TO = 6

# Seconds that a reader takes for a paper: some 230 words a minute, and a moment for the title.
_SECONDS = {"lead": 45, "for_you": 20, "also_today": 20}
_SECONDS_IN_BRIEF, _SECONDS_ROOMY = 10, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How many papers a mail shows as cards, beside the lead, and how many a daily mail shows as lines."""

    for_you: int = 5  # cards of papers that fit the reader's wishes
    also_today: int = 3  # cards of papers that come because everybody gets them
    in_brief: int | None = None  # lines of all others in a daily mail; None: as many as there are

    def most(self, most: int) -> int:
        """Return how many papers one reader gets of a daily issue at most; 0: no limit.

        Args:
            most: the most that the list allows; 0: no limit.
        """
        if self.in_brief is None:
            return most
        room = 1 + self.for_you + self.also_today + self.in_brief
        return min(most, room) if most else room

    def within(self, choice: Choice) -> Choice:
        """Return a choice without what has no room in a daily mail: the last lines beyond `in_brief`."""
        if self.in_brief is None:
            return choice
        left_out = frozenset(sections(choice, self).brief[self.in_brief :])
        kept = [at for at, position in enumerate(choice.positions) if position not in left_out]
        return replace(
            choice,
            positions=tuple(choice.positions[at] for at in kept),
            reasons=tuple(choice.reasons[at] for at in kept),
        )


@dataclass(slots=True, kw_only=True)
class Sections:
    """The positions of a choice by section of the mail, each in the reader's order; a section may be empty.

    `days` are those of a weekly mail; None stands for what was listed before. What is `rising` and `discussed`
    stands in another section as well. `named` has the positions by the names that templates have for the
    sections, `shown` has all positions, each once.

    It never changes. A frozen class takes several times as long to make, and each reader has sections.
    """

    lead: tuple[int, ...] = ()  # one, or none
    for_you: tuple[int, ...] = ()
    also_today: tuple[int, ...] = ()
    brief: tuple[int, ...] = ()
    days: Mapping[date | None, tuple[int, ...]] = field(default_factory=dict)
    rising: tuple[int, ...] = ()
    discussed: tuple[int, ...] = ()
    named: dict[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    shown: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what follows from the sections."""
        self.named = {
            "lead": self.lead,
            "for_you": self.for_you,
            "also_today": self.also_today,
            "brief": self.brief,
            **{day_section(day): positions for day, positions in self.days.items()},
            "rising": self.rising,
            "discussed": self.discussed,
        }
        of_days = chain.from_iterable(self.days.values())
        self.shown = (*self.lead, *self.for_you, *self.also_today, *self.brief, *of_days)

    @property
    def is_roomy(self) -> bool:
        """Return whether there are so few papers that each is shown in full."""
        return len(self.shown) <= ROOMY_UP_TO

    @property
    def minutes(self) -> int:
        """Return about how long reading takes, in minutes, at least one."""
        named = self.named.items()
        seconds = sum([_SECONDS.get(name, _SECONDS_IN_BRIEF) * len(positions) for name, positions in named])
        return max(1, round((seconds + self.is_roomy * _SECONDS_ROOMY * len(self.shown)) / 60))

    def without(self, left_out: frozenset[int]) -> Sections:
        """Return the sections without some positions."""

        def kept(positions: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(position for position in positions if position not in left_out)

        return Sections(
            lead=kept(self.lead),
            for_you=kept(self.for_you),
            also_today=kept(self.also_today),
            brief=kept(self.brief),
            days={day: kept(positions) for day, positions in self.days.items()},
            rising=kept(self.rising),
            discussed=kept(self.discussed),
        )


def day_section(day: date | None) -> str:
    """Return the name that templates have for the section of a day: `day_20260312`, or `day_before`."""
    return f"day_{day:%Y%m%d}" if day else "day_before"


def sections(choice: Choice, layout: Layout) -> Sections:
    """Return how a choice is shown: first the lead, then what fits the reader's wishes, then what everybody gets.

    Where nothing fits the wishes, the cards of that section go to the other one. With few papers all are cards.
    """
    matching, others = list[int](), list[int]()
    for position, reasons in zip(choice.positions, choice.reasons, strict=True):
        (matching if reasons else others).append(position)
    if choice.positions:
        (matching if choice.reasons[0] else others).pop(0)  # the lead
    for_you, also = layout.for_you, layout.also_today
    if not matching:
        for_you, also = 0, for_you + also
    if len(choice.positions) <= ROOMY_UP_TO:
        for_you, also = len(matching), len(others)
    cards = {*matching[:for_you], *others[:also]}
    return Sections(
        lead=choice.positions[:1],
        for_you=tuple(matching[:for_you]),
        also_today=tuple(others[:also]),
        brief=tuple(position for position in choice.positions[1:] if position not in cards),
    )

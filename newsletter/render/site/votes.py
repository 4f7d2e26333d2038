"""How the upvotes of a paper grew, as a picture (SVG) and as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.listing import Sighting
from newsletter.render.issue.language import Language
from newsletter.render.issue.times import clock

# Of the picture, 340 by 152 in its own units.
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 330.0, 14.0, 128.0
_MOST_POINTS = 40  # more look no different
_MOST_LINES = 5
_STEPS = (1, 2, 5)
_TWO_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source said at a moment: in words, and where it is in the picture."""

    when: str
    votes: str
    x: str
    y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line of the grid, or a moment on the axis: where it is, and what it says."""

    at: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VotesView:
    """The upvotes of a paper for templates; `line` and `area` are the points of a polyline and of a polygon.

    `readings` are in the order of time. Where there is one only, there is nothing to draw, and `line` is empty.
    """

    readings: tuple[Reading, ...]
    line: str = ""
    area: str = ""
    rows: tuple[Mark, ...] = ()
    moments: tuple[Mark, ...] = ()


def readings_of(sightings: Sequence[Sighting]) -> list[tuple[datetime, int]]:
    """Return when how many upvotes were seen, oldest first: by the source that counts most of them."""
    by_source: dict[str, dict[datetime, int]] = {}
    for one in sightings:
        if one.upvotes is not None:
            by_source.setdefault(one.source, {})[one.seen_at] = one.upvotes
    most = max(by_source.values(), key=lambda seen: seen[max(seen)], default={})
    return _thinned(sorted(most.items()))


def votes_view(frame: Language, sightings: Sequence[Sighting], zone: ZoneInfo) -> VotesView | None:
    """Return how the upvotes of a paper grew; None: no source counts them.

    Args:
        frame: the language of the page.
        sightings: of the paper.
        zone: by whose clocks moments are shown.
    """
    seen = readings_of(sightings)
    if not seen:
        return None
    begin, end = seen[0][0], seen[-1][0]
    scale = _Scale(begin=begin, end=end, step=_step(max(votes for _, votes in seen)), seen=tuple(seen))
    readings = tuple(
        Reading(when=_moment(frame, at, zone), votes=frame.compact(votes), x=scale.x(at), y=scale.y(votes))
        for at, votes in seen
    )
    if begin == end:
        return VotesView(readings=readings[-1:])
    line = " ".join(f"{one.x},{one.y}" for one in readings)
    of_days = end - begin > _TWO_DAYS
    return VotesView(
        readings=readings,
        line=line,
        area=f"{_LEFT:.1f},{_BOTTOM:.1f} {line} {_RIGHT:.1f},{_BOTTOM:.1f}",
        rows=tuple(
            Mark(at=scale.y(votes), text=frame.compact(votes)) for votes in range(0, scale.top + 1, scale.step)
        ),
        moments=tuple(
            Mark(at=scale.x(at), text=_axis(frame, at.astimezone(zone), of_days=of_days))
            for at in (begin, begin + (end - begin) / 2, end)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Where moments and votes are in the picture; `step` is how far apart the lines of the grid are."""

    begin: datetime
    end: datetime
    step: int
    seen: tuple[tuple[datetime, int], ...]

    @property
    def top(self) -> int:
        """Return the votes of the highest line."""
        return self.step * max(-(-max(votes for _, votes in self.seen) // self.step), 1)

    def x(self, at: datetime) -> str:
        span = (self.end - self.begin).total_seconds()
        share = (at - self.begin).total_seconds() / span if span else 1.0
        return f"{_LEFT + share * (_RIGHT - _LEFT):.1f}"

    def y(self, votes: int) -> str:
        return f"{_BOTTOM - votes / self.top * (_BOTTOM - _TOP):.1f}"


def _thinned(seen: list[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    """Return some of many readings, evenly, with the first and the last."""
    if len(seen) <= _MOST_POINTS:
        return seen
    last = len(seen) - 1
    return [seen[round(place * last / (_MOST_POINTS - 1))] for place in range(_MOST_POINTS)]


def _step(most: int) -> int:
    """Return how far apart the lines of the grid are: 1, 2 or 5, or tens, hundreds … of these."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size * (_MOST_LINES - 1) >= most:
                return step * size
        size *= 10


def _moment(frame: Language, at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{frame.medium_date(local.date())}, {clock(frame, local.time())}"


def _axis(frame: Language, local: datetime, *, of_days: bool) -> str:
    return frame.short_date(local.date()) if of_days else clock(frame, local.time())

"""Charts of the operator's pages as SVG. Their colours stand in `admin.css`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from markupsafe import Markup

from newsletter.core.delivery import DeliveryState
from newsletter.core.growth import ReaderDay

_WIDTH, _TOP, _LINE, _BARS = 660, 8, 108, 40  # units; a line above, bars of who came and went below it
_LEFT, _RIGHT = 48, 8
_LABELS_Y = _TOP + _LINE + _BARS + 26
_HEIGHT = _LABELS_Y + 10

# In the order in which they stand in a bar, with the classes that colour them.
_SHOWN = {
    DeliveryState.SENT: "c-sent",
    DeliveryState.SENDING: "c-sending",
    DeliveryState.DEFERRED: "c-deferred",
    DeliveryState.UNCERTAIN: "c-uncertain",
    DeliveryState.REFUSED: "c-refused",
    DeliveryState.QUEUED: "c-queued",
    DeliveryState.WITHDRAWN: "c-withdrawn",
}
_LEAST_SHARE = 0.012  # of a bar: fewer would not be seen


def state_bar(counts: Mapping[DeliveryState, int]) -> Markup:
    """Return a bar of an issue's deliveries by state; each state that has any can be seen."""
    numbers = {state: counts.get(state, 0) for state in _SHOWN if counts.get(state, 0)}
    total = sum(numbers.values())
    shares = {state: max(number / total, _LEAST_SHARE) for state, number in numbers.items()}
    scale, at, parts = 100 / sum(shares.values()) if shares else 0, 0.0, []
    for state, share in shares.items():
        width = share * scale
        parts.append(_rect(at, 0, width, 12, _SHOWN[state]))
        at += width
    return _svg("bar", 100, 12, parts, stretched=True)


def days_bars(numbers: Mapping[date, int], last: date, days: int) -> Markup:
    """Return small bars of how many there were on each of the last days."""
    values = [numbers.get(last - timedelta(days=ago), 0) for ago in reversed(range(days))]
    most = max([1, *values])
    bars = [
        _rect(6 * place, 20 - height, 4, height, "c-days")
        for place, value in enumerate(values)
        if (height := max(round(20 * value / most, 1), 1.0) if value else 0.0)
    ]
    return _svg("spark", 6 * days, 20, bars)


def share_bar(number: int, most: int) -> Markup:
    """Return a bar that is as long as a number is large beside the largest."""
    return _svg("bar", 100, 12, [_rect(0, 0, 100 * number / max(most, 1), 12, "c-days")], stretched=True)


def growth_chart(days: Sequence[ReaderDay]) -> Markup:
    """Return a chart of how many readers there were, as a line, and of who came and went, as bars."""
    low, high = _scale([one.readers for one in days])
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(days) - 1, 1)
    xs = [_LEFT + step * place for place in range(len(days))]
    parts = [_axis(low + (high - low) * part // 2, low, high) for part in range(3)]
    points = " ".join(f"{x:.1f},{_y(one.readers, low, high):.1f}" for x, one in zip(xs, days, strict=True))
    parts.append(f'<polyline class="c-line" points="{points}"/>')
    most = max([1, *(max(one.joined, one.left) for one in days)])
    middle, room = _TOP + _LINE + _BARS / 2 + 6, _BARS / 2
    width = max(step * 0.7, 1.5)
    for x, one in zip(xs, days, strict=True):
        if one.joined:
            height = max(room * one.joined / most, 1.0)
            parts.append(_rect(x - width / 2, middle - height, width, height, "c-joined"))
        if one.left:
            parts.append(_rect(x - width / 2, middle + 1, width, max(room * one.left / most, 1.0), "c-left"))
    parts += _day_labels(days, xs)
    return _svg("chart", _WIDTH, _HEIGHT, parts)


def _scale(numbers: Sequence[int]) -> tuple[int, int]:
    """Return round numbers below and above all of some numbers."""
    least, most = min(numbers, default=0), max(numbers, default=0)
    unit = 2
    while most - least > 4 * unit:
        unit *= 5 if str(unit)[0] == "2" else 2
    low = least // unit * unit
    return low, max(-(-most // unit) * unit, low + unit)


def _y(number: int, low: int, high: int) -> float:
    return _TOP + _LINE * (high - number) / (high - low)


def _axis(number: int, low: int, high: int) -> str:
    y = _y(number, low, high)
    line = f'<line class="c-axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number:,}</text>'


def _day_labels(days: Sequence[ReaderDay], xs: Sequence[float]) -> list[str]:
    """Return the first and the last day, and two between them."""
    if not days:
        return []
    last = len(days) - 1
    places = sorted({0, last // 3, 2 * last // 3, last})
    anchors = {0: "start", last: "end"}
    return [
        f'<text x="{xs[place]:.1f}" y="{_LABELS_Y}" text-anchor="{anchors.get(place, "middle")}">'
        f"{days[place].day.day} {days[place].day:%b}</text>"
        for place in places
    ]


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'


def _svg(kind: str, width: int, height: int, parts: Sequence[str], *, stretched: bool = False) -> Markup:
    """Return a picture that says nothing that does not stand beside it in words."""
    fit = ' preserveAspectRatio="none"' if stretched else ""
    head = f'<svg class="{kind}" viewBox="0 0 {width} {height}"{fit} aria-hidden="true" focusable="false">'
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 -- numbers, dates and names of ours

"""What a template may take: turns of loops, and characters of text. More raises ValueError.

Templates are the operator's own, so these bounds are against slips of the pen, such as `"-" * 10 ** 10`: they hold
up no issue for hours, and leave the process its memory. What could be long is measured before it is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

from jinja2 import nodes
from jinja2.filters import FILTERS
from jinja2.utils import generate_lorem_ipsum
from jinja2.visitor import NodeTransformer
from typing_extensions import override

_LONGEST_RANGE = 10_000
_MOST_TURNS = 1_000_000  # of all loops of a rendering; a mail of 500 papers takes 6,000
_MOST_CHARACTERS = 20_000_000  # of a text, or items of a list
_MOST_BITS = 10_000  # of a whole number
_LARGEST_WIDTH = 10_000  # that a text is filled up to, and of other numbers that say how long something will be

# What may make much more than it is given, by width, by count, or by replacement.
_FILTERS = ("batch", "center", "format", "indent", "replace", "slice", "tojson")
_METHODS = frozenset({"center", "expandtabs", "format", "ljust", "replace", "rjust", "zfill"})  # of a text

_PERCENT_WIDTHS = re.compile(r"%(?:%|(?:\([^)]*\))?[-+ #0]*(\d*)\.?(\d*))")
_BRACE_WIDTHS = re.compile(r"\{[^{}:]*:\D*(\d*)\.?(\d*)")


class _Turns:
    """How many turns the loops of a rendering may take still."""

    def __init__(self) -> None:
        self.left = _MOST_TURNS


_turns: ContextVar[_Turns] = ContextVar("turns of the loops of a rendering")


@contextmanager
def counting_turns() -> Iterator[None]:
    """Render something, whose loops take a million turns together at most; one more raises ValueError."""
    token = _turns.set(_Turns())
    try:
        yield
    finally:
        _turns.reset(token)


def short_range(*limits: int) -> range:
    """Return a range for a loop of a template.

    Raises:
        ValueError: it is longer than any that a mail or a page can need.
    """
    made = range(*limits)
    if made and (abs(made[-1] - made[0]) // abs(made.step)) >= _LONGEST_RANGE:
        raise ValueError(f"range{limits} is too long: loop over {_LONGEST_RANGE:,} at most")
    return made


def short_lipsum(*numbers: Any, **named: Any) -> str:
    """Return text that only fills a place, as Jinja's `lipsum`.

    Raises:
        ValueError: it is longer than any that a mail or a page can need.
    """
    _check_widths([*numbers, *named.values()])
    return generate_lorem_ipsum(*numbers, **named)


def joined(parts: Iterable[str]) -> str:
    """Return the parts that a template made as one text.

    Raises:
        ValueError: it would be too long.
    """
    kept, size = [], 0
    for part in parts:
        size += len(part)
        _check_size(size)
        kept.append(part)
    return "".join(kept)


class BoundingTransformer(NodeTransformer):
    """Lets the operators and methods of a template measure what they make, and its loops count their turns."""

    @override
    def generic_visit(self, node: nodes.Node, *args: Any, **named: Any) -> nodes.Node:
        """Return what stands in a template for one of its nodes, whose parts are looked at first."""
        super().generic_visit(node, *args, **named)
        match node:
            case nodes.For():
                node.iter = _filter(node.iter, _counted_turns)
            case nodes.Mul():
                return _filter(node.left, _times, node.right)
            case nodes.Pow():
                return _filter(node.left, _to_the_power, node.right)
            case nodes.Mod():
                return _filter(node.left, _remainder, node.right)
            case nodes.Concat() | nodes.Add():
                return _filter(node, _measured)
            case nodes.Call(node=nodes.Getattr(attr=name)) if name in _METHODS:
                node.node = _filter(node.node, _measuring_method)
        return node


def _filter(node: Any, function: Callable[..., Any], *args: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(node, function.__name__, list(args), [], None, None)
    made.set_lineno(node.lineno)
    return made


def _counted_turns(items: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loop of a template goes over."""
    turns = _turns.get()
    for item in items:
        turns.left -= 1
        if turns.left < 0:
            raise ValueError(f"its loops take too long: {_MOST_TURNS:,} turns of all loops together are the most")
        yield item


def _measured(value: Any) -> Any:
    """Return what two texts or lists are together: no more than twice what was measured before."""
    if isinstance(value, Sized):
        _check_size(len(value))
    return value


def _times(left: Any, right: Any) -> Any:
    for text, number in ((left, right), (right, left)):
        if isinstance(text, Sized) and isinstance(number, int):
            _check_size(len(text) * number)
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    return left * right


def _to_the_power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))
    return left**right


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        _check_widths(_widths(_PERCENT_WIDTHS, left))
    return left % right


def _measuring(name: str) -> Callable[..., Any]:
    """Return a filter of Jinja's that measures first what it would make."""
    made_by = FILTERS[name]
    place = 1 if hasattr(made_by, "jinja_pass_arg") else 0  # of the value: the environment may come before it

    @wraps(made_by)
    def measured(*args: Any, **named: Any) -> Any:
        value, *given = args[place:]
        if name == "format" and isinstance(value, str):
            _check_widths(_widths(_PERCENT_WIDTHS, value))
        _check_given(name, value, [*given, *named.values()])
        return made_by(*args, **named)

    return measured


def _measuring_method(method: Any) -> Any:
    """Return a method that measures first what it would make, if it is a text's; any other as it is."""
    return partial(_called, method) if isinstance(getattr(method, "__self__", None), str) else method


def _called(method: Any, *args: Any, **named: Any) -> Any:
    if method.__name__ == "format":
        _check_widths(_widths(_BRACE_WIDTHS, method.__self__))
    _check_given(method.__name__, method.__self__, [*args, *named.values()])
    return method(*args, **named)


def _check_given(name: str, value: Any, given: Sequence[Any]) -> None:
    """Check what is given to a filter or a method with its value."""
    match name, value, given:
        case "replace", str(), [str(old), str(new), *_]:
            _check_size(len(value) + value.count(old) * len(new))
        case "replace" | "format", _, _:
            pass
        case _:
            _check_widths(given)


def _widths(pattern: re.Pattern[str], text: str) -> list[int]:
    """Return the widths that a text for formatting asks for."""
    return [int(number) for found in pattern.findall(text) for number in found if number]


def _check_widths(numbers: Iterable[Any]) -> None:
    for number in numbers:
        if isinstance(number, int) and number > _LARGEST_WIDTH:
            raise ValueError(f"it makes too much: {number:,} where {_LARGEST_WIDTH:,} are the most")


def _check_size(characters: int) -> None:
    if characters > _MOST_CHARACTERS:
        raise ValueError(f"it makes too much: {_MOST_CHARACTERS:,} characters of a text are the most")


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise ValueError("a number in it is too long")


# The filters that a transformed template calls, and those of Jinja's that measure.
BOUNDING: Mapping[str, Callable[..., Any]] = {
    **{
        each.__name__: each
        for each in (_counted_turns, _measured, _measuring_method, _remainder, _times, _to_the_power)
    },
    **{name: _measuring(name) for name in _FILTERS},
}

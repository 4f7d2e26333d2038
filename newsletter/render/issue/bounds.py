"""What a template may take: turns of loops, and characters of text. More raises ValueError.

Templates are the operator's own, so these bounds are against slips of the pen, such as `"-" * 10 ** 10`: they hold
up no issue for hours, and leave the process its memory. What could be long is measured before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from typing_extensions import override

_LONGEST_RANGE = 10_000
_MOST_TURNS = 1_000_000  # of all loops of a rendering; a mail of 500 papers takes 6,000
_MOST_CHARACTERS = 20_000_000  # of a text, or items of a list
_MOST_BITS = 10_000  # of a whole number


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
    """Lets the operators of a template measure what they make, and its loops count their turns."""

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
            case nodes.Concat() | nodes.Add():
                return _filter(node, _measured)
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


def _check_size(characters: int) -> None:
    if characters > _MOST_CHARACTERS:
        raise ValueError(f"it makes too much: {_MOST_CHARACTERS:,} characters of a text are the most")


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise ValueError("a number in it is too long")


# The filters that a transformed template calls.
BOUNDING: Mapping[str, Callable[..., Any]] = {
    each.__name__: each for each in (_counted_turns, _measured, _times, _to_the_power)
}

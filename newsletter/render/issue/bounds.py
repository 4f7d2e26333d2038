"""What a template may take: turns of loops, and characters of text. More raises ValueError.

Templates are the operator's own, so these bounds are against slips of the pen, such as `"-" * 10 ** 10`: they hold
up no issue for hours, and leave the process its memory. What could be long is measured before it is made, or right
after, where it is no longer than what it was made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from jinja2 import nodes
from jinja2.utils import generate_lorem_ipsum
from jinja2.visitor import NodeTransformer
from typing_extensions import override

_LONGEST_RANGE = 10_000
_MOST_TURNS = 1_000_000  # of all loops of a rendering; a mail of 500 papers takes 6,000
_MOST_CHARACTERS = 100_000_000  # of all texts of a rendering, and of what they are made of
_WIDEST = 100_000  # characters of an indent, or of a number in a format
_MOST_BITS = 10_000  # of a whole number
_SHORT = 1_000  # characters of what counts only as a part of something longer

# The widths in `"%9d" % number` and in `"{:9}".format(number)`: digits; `*` or `{` where it is an argument.
_PERCENT = re.compile(r"%(?:\([^)]*\))?[-+ #]*(\d+|\*)?(?:\.(\d+|\*))?")
_BRACES = re.compile(r"\{[^{}]*:[^{}]*?(\d{6,}|\{)")

_TEXTS = (str, bytes)
_TRANSLATING = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})
_MEASURED = (str, bytes, list, tuple, dict, set)


class _Left:
    """How much a rendering may take still."""

    def __init__(self) -> None:
        self.turns = _MOST_TURNS
        self.characters = _MOST_CHARACTERS


_left: ContextVar[_Left | None] = ContextVar("what a rendering may take still", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Render something, which takes a million turns of loops and a hundred million characters at most."""
    token = _left.set(_Left())
    try:
        yield
    finally:
        _left.reset(token)


def counted_turns(items: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loop of a template goes over."""
    left = _left.get()
    if left is None:
        raise LookupError("a loop is for a rendering")
    for item in items:
        left.turns -= 1
        if left.turns < 0:
            raise ValueError(f"its loops take too long: {_MOST_TURNS:,} turns of all loops together are the most")
        yield item


def short_range(*limits: int) -> range:
    """Return a range for a loop of a template.

    Raises:
        ValueError: it is longer than any that a mail or a page can need.
    """
    made = range(*limits)
    if made and (abs(made[-1] - made[0]) // abs(made.step)) >= _LONGEST_RANGE:
        raise ValueError(f"range{limits} is too long: loop over {_LONGEST_RANGE:,} at most")
    return made


def measured(value: Any) -> Any:
    """Return a value, and count its characters or items."""
    if isinstance(value, _MEASURED):
        _spend(len(value))
    return value


def joined(parts: Iterable[str]) -> str:
    """Return parts of a page as one text."""
    if isinstance(parts, list):  # of a macro, or of a text that is set
        if (size := sum(map(len, parts))) > _SHORT:
            _spend(size)
        return "".join(parts)
    kept = []
    for part in parts:
        _spend(len(part))
        kept.append(part)
    return "".join(kept)


def bounded_filter(function: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    """Return a filter that makes no text longer than there is room for.

    Args:
        function: the filter.
        check: one of `CHECKS`.
    """
    wants_context = hasattr(function, "jinja_pass_arg")

    @wraps(function)  # with that attribute, by which Jinja sees what it wants
    def filtered(*args: Any, **named: Any) -> Any:
        check(*(args[1:] if wants_context else args), **named)
        return measured(function(*args, **named))

    return filtered


class BoundingTransformer(NodeTransformer):
    """Lets a template's operators and methods measure what they make, and its loops count their turns."""

    @override
    def generic_visit(self, node: nodes.Node, *args: Any, **named: Any) -> nodes.Node:
        """Return what stands in a template for one of its nodes, whose parts are looked at first."""
        super().generic_visit(node, *args, **named)
        match node:
            case nodes.For():
                node.iter = _filter(node.iter, "counted_turns")
            case nodes.Mul():
                return _filter(node.left, "times", node.right)
            case nodes.Pow():
                return _filter(node.left, "to_the_power", node.right)
            case nodes.Mod():
                return _filter(node.left, "percent", node.right)
            case nodes.Concat() | nodes.Add():
                return _filter(node, "measured")
            case nodes.Call(node=nodes.Getattr() | nodes.Getitem()):
                node.node = _filter(node.node, "bounded_method")
            case nodes.Call(node=nodes.Name(name=name)) if name in _TRANSLATING:
                node.args = [_filter(text, "format") if _is_wide(text) else text for text in node.args]
        return node


def bounded_method(method: Any) -> Any:
    """Return a method of a text or a list so that it measures what it makes; anything else as it is."""
    receiver = getattr(method, "__self__", None)
    if not isinstance(receiver, _MEASURED):
        return method

    def called(*args: Any, **named: Any) -> Any:
        _check_method(receiver, method.__name__, args, named)
        return measured(method(*args, **named))

    return called


def bounded_lorem_ipsum(*args: Any, **named: Any) -> Any:
    """Return some paragraphs of Latin, as Jinja's `lipsum` does."""
    _check_numbers(*args, **named)
    return measured(generate_lorem_ipsum(*args, **named))


def _is_wide(node: nodes.Expr) -> bool:
    if not isinstance(node, nodes.Const) or not isinstance(node.value, str):
        return False
    try:
        _check_percent(node.value)
    except ValueError:
        return True
    return False


def _filter(node: Any, name: str, *args: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(node, name, list(args), [], None, None)
    made.set_lineno(node.lineno)
    return made


def _spend(characters: int) -> None:
    """Count characters that are made, or are about to be.

    Raises:
        ValueError: there is no room for them.
    """
    left = _left.get()
    if left is None:
        if characters > _SHORT:  # then it is left to the rendering
            raise LookupError("long texts are for a rendering")
        return
    left.characters -= characters
    if left.characters < 0:
        raise ValueError(f"it makes too much text: {_MOST_CHARACTERS:,} characters in all are the most")


def _times(left: Any, right: Any) -> Any:
    for text, number in ((left, right), (right, left)):
        if isinstance(text, (str, bytes, list, tuple)) and isinstance(number, int):
            _spend(len(text) * max(number, 0))
            return left * right
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    return left * right


def _to_the_power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))
    return left**right


def _percent(left: Any, right: Any) -> Any:
    if isinstance(left, _TEXTS):
        _check_percent(left, right)
    return measured(left % right)


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise ValueError("a number in it is too long")


def _check_numbers(*args: Any, **named: Any) -> None:
    """Refuse numbers that are no width, and no count of anything on a page."""
    for number in (*args, *named.values()):
        if isinstance(number, int) and abs(number) > _WIDEST:
            raise ValueError(f"{number} in it is too large: {_WIDEST:,} is the most")


def _check_arguments(_: Any, *args: Any, **named: Any) -> None:
    _check_numbers(*args, **named)


def _check_percent(text: Any, *values: Any, **named: Any) -> None:
    """Refuse a format such as `%1000000000d`."""
    written = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    widths = [width for found in _PERCENT.findall(written) for width in found]
    _check_numbers(*(int(width) for width in widths if width.isdecimal()))
    if "*" in widths:
        [first, *_] = values or [()]
        _check_numbers(*(first if isinstance(first, tuple) else values), **named)


def _check_braces(text: str, *values: Any, **named: Any) -> None:
    """Refuse a format such as `{:1000000000}`."""
    for width in _BRACES.findall(text):
        _check_numbers(*(values if width == "{" else (int(width),)), **(named if width == "{" else {}))


def _check_indent(text: str, width: Any = 4, *_: Any, **__: Any) -> None:
    _check_numbers(width)
    _spend((width if isinstance(width, int) else len(str(width))) * (text.count("\n") + 1))


def _check_replacing(text: Any, old: Any, new: Any, *_: Any, **__: Any) -> None:
    before, after = len(str(old)), len(str(new))
    times = str(text).count(str(old)) if before else len(str(text)) + 1
    _spend(max(after - before, 0) * times)


def _check_joining(items: Any, between: Any = "", *_: Any, **__: Any) -> None:
    if isinstance(items, _MEASURED):
        _spend(sum(len(str(between)) + (len(item) if isinstance(item, _TEXTS) else 0) for item in items))


def _check_wrapping(text: str, width: int = 79, *args: Any, **named: Any) -> None:
    _check_numbers(width)
    between = named.get("wrapstring") or next((one for one in args if isinstance(one, str)), "")
    _spend((len(text) // max(width, 1) + text.count(" ")) * len(between))


def _check_method(receiver: Any, name: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    """Refuse a call of a method of a text or a list that would make too much of it."""
    if not isinstance(receiver, str):
        for each in args:  # `extend` and the like
            measured(each)
        return
    check = _METHODS.get(name)
    if name == "join":
        check = None
        _check_joining(*args, receiver)
    if check is not None:
        check(receiver, *args, **named)


_METHODS: Mapping[str, Callable[..., None]] = {
    "center": _check_arguments,
    "expandtabs": _check_arguments,
    "format": _check_braces,
    "format_map": _check_braces,
    "ljust": _check_arguments,
    "replace": _check_replacing,
    "rjust": _check_arguments,
    "zfill": _check_arguments,
}
CHECKS: Mapping[str, Callable[..., None]] = {
    "batch": _check_arguments,
    "center": _check_arguments,
    "format": _check_percent,
    "indent": _check_indent,
    "join": _check_joining,
    "replace": _check_replacing,
    "round": _check_arguments,
    "slice": _check_arguments,
    "tojson": _check_arguments,
    "wordwrap": _check_wrapping,
    "wrapped": _check_arguments,
}

OPERATORS: Mapping[str, Callable[..., Any]] = {
    "bounded_method": bounded_method,
    "counted_turns": counted_turns,
    "measured": measured,
    "percent": _percent,
    "times": _times,
    "to_the_power": _to_the_power,
}

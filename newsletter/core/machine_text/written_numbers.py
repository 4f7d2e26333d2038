"""What digits with points, commas and spaces between them may mean. Pure."""

from __future__ import annotations

import re

from newsletter.core.machine_text.values import Value, decimal

_MARK = re.compile(r"\D")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\D\d{3})+")
Reading = frozenset[Value]


def written_numbers(digits: str, decimal_marks: str) -> tuple[Reading, ...]:
    """Return the readings of digits, each as the values of which it consists; none where they are too many.

    Args:
        digits: such as `1,000`, `3.5`, `10 000`, `2.1.3`.
        decimal_marks: the point, the comma, or both where it is not clear.
    """
    if digits.startswith("."):
        return _reading(decimal("0", digits[1:]))
    marks = _MARK.findall(digits)
    parts = _MARK.split(digits)
    if not marks:
        return _reading(decimal(digits))
    joined = _reading(decimal("".join(parts))) if _GROUPED.fullmatch(digits) else ()
    if len(set(marks)) > 1:
        return _of_two_marks(digits, parts, marks)
    if marks[0] == " ":
        return (*_reading(decimal("".join(parts))), *_each(parts))
    if len(marks) > 1 or marks[0] not in ".,":
        return joined or _each(parts)
    return _of_one_mark(parts, marks[0], joined, decimal_marks)


def _of_one_mark(
    parts: list[str], mark: str, joined: tuple[Reading, ...], decimal_marks: str
) -> tuple[Reading, ...]:
    """Return the readings of digits with one point or comma."""
    as_decimal = _reading(decimal(*parts))
    if len(decimal_marks) > 1:
        return (*as_decimal, *joined)
    if mark == decimal_marks:
        return as_decimal
    if joined:
        return joined
    return as_decimal if mark == "." else (*as_decimal, *_each(parts))  # `3.5` in a German text; `layers 3,5`


def _of_two_marks(digits: str, parts: list[str], marks: list[str]) -> tuple[Reading, ...]:
    """Return the readings of digits such as `1,234.5` or `12 345,6`."""
    whole = digits[: -len(parts[-1]) - 1]
    if len(set(marks[:-1])) == 1 and marks[-1] in ".," and _GROUPED.fullmatch(whole):
        return _reading(decimal("".join(parts[:-1]), parts[-1]))
    return _each(parts)


def _each(parts: list[str]) -> tuple[Reading, ...]:
    values = [decimal(part) for part in parts]
    return (frozenset(value for value in values if value),) if all(values) else ()


def _reading(value: Value | None) -> tuple[Reading, ...]:
    return (frozenset((value,)),) if value else ()

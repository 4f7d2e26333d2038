"""Numbers as exact values: fractions in lowest terms. Pure."""

from __future__ import annotations

import math

Value = tuple[int, int]  # a numerator and a positive denominator, without common factors
_MOST_DIGITS = 30
_LARGEST_POWER = 40


def fraction(numerator: int, denominator: int = 1) -> Value:
    """Return a fraction in lowest terms; the denominator is positive."""
    common = math.gcd(numerator, denominator)
    return numerator // common, denominator // common


def times(value: Value, factor: Value) -> Value:
    """Return a product."""
    return fraction(value[0] * factor[0], value[1] * factor[1])


def power(base: Value, exponent: int) -> Value | None:
    """Return a power, or None where it is larger, or smaller, than any number in an abstract."""
    if abs(exponent) > _LARGEST_POWER or max(base) >= 10**_MOST_DIGITS or not base[0]:
        return None
    raised = base[0] ** abs(exponent), base[1] ** abs(exponent)
    return fraction(*raised) if exponent >= 0 else fraction(raised[1], raised[0])


def decimal(whole: str, part: str = "") -> Value | None:
    """Return the value of the digits before and after a decimal mark, or None where they are too many."""
    if len(whole) + len(part) > _MOST_DIGITS:
        return None
    return fraction(int(f"{whole}{part}" or "0"), 10 ** len(part))

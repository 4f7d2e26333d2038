"""How many examples a test of a property tries that is so slow that it sets a number of its own."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 50  # of the profile "dev"


def slow(number: int) -> int:
    """Return how many examples to try: `number`, and with the long profile as many times more as it has."""
    return number * (settings().max_examples // _USUAL)

"""How long readers of hostile text take."""

from collections.abc import Callable
from time import process_time

_STEEPEST = 8  # times for a text of four times the length: 4 is linear, 16 grows with the square


def takes_time_in_proportion(read: Callable[[str], object], text: str, *, seconds: float) -> bool:
    """Return whether reading a text is quick, or takes time in proportion to its length.

    Coverage makes linear readers several times as slow on a busy machine; then a quarter of the text is timed too.

    Args:
        read: takes the text.
        text: a long one.
        seconds: of the processor; less than these is quick.
    """
    taken = _seconds(read, text)
    return taken < seconds or min(taken, _seconds(read, text)) < _STEEPEST * _seconds(read, text[: len(text) // 4])


def _seconds(read: Callable[[str], object], text: str) -> float:
    began = process_time()
    read(text)
    return process_time() - began

"""Named tuples of which each message needs some."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

_Record = TypeVar("_Record", bound=tuple[Any, ...])


def maker(kind: type[_Record]) -> Callable[[tuple[Any, ...]], _Record]:
    """Return what makes a named tuple of the values of all its fields, in their order.

    It takes a third of the time that the constructor takes, which is a function in Python. But nothing looks
    whether the values are of the right number, so it is for those alone that are made by the thousand.
    """
    return partial(tuple.__new__, kind)

"""Memory that is not needed any more goes back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give the system what the C library keeps of freed memory.

    Rendering an issue of hundreds of papers leaves some 20 MB in pieces, which glibc would keep for later. Other C
    libraries have no `malloc_trim(3)`; there it does nothing.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)

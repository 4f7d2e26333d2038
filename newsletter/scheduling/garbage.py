"""How often the process looks for garbage."""

from __future__ import annotations

import gc

# New objects between two looks, instead of 700. Loaded modules are no garbage, and deliveries, which come by the
# thousand, are part of no cycle: it saves a tenth of a command's start, and of the time that a delivery takes.
_OBJECTS = 50_000


def look_rarely() -> None:
    """Look for garbage each 50,000 new objects."""
    gc.set_threshold(_OBJECTS, 20, 100)


def look_no_more() -> None:
    """Leave all that is there to the end of the process; Python would look through it several times before."""
    gc.freeze()

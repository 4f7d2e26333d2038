"""The program with a clock that a file sets, which tells how it is: `python -m tests.simulation.watched CLOCK …`.

At SIGUSR1 it writes to `CLOCK.told` how many tasks its event loop has, how many objects Python's collector knows,
and of which kinds there are most.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections import Counter
from pathlib import Path

from tests.e2e import clocked

_MOST = 15


def _tell(file: Path) -> None:
    gc.collect()
    objects = gc.get_objects()
    kinds = Counter(type(one).__qualname__ for one in objects).most_common(_MOST)
    told = {"tasks": len(asyncio.all_tasks()), "objects": len(objects), "kinds": dict(kinds)}
    written = file.with_suffix(".new")
    written.write_text(json.dumps(told))
    written.replace(file)


if __name__ == "__main__":
    clock = Path(sys.argv.pop(1))
    signal.signal(signal.SIGUSR1, lambda *_: _tell(clock.with_suffix(".told")))
    clocked.run(clock)

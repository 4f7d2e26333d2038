"""Memory that was freed in pieces goes back to the system."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

_IN_PIECES = """
from pathlib import Path
from newsletter.pipeline.freed import give_back

def held() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

pieces = [bytes([number % 256]) * 20_000 for number in range(2000)]  # 40 MB
last = bytes([7]) * 20_000  # stands above them, so that they can't go back by themselves
del pieces
before = held()
give_back()
print(before - held())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim")
def test_what_was_freed_in_pieces_goes_back_to_the_system() -> None:
    ended = subprocess.run([sys.executable, "-c", _IN_PIECES], capture_output=True, text=True, check=True)

    assert int(ended.stdout) > 30_000  # KB

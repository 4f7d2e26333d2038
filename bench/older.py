"""Other commits of this program, to be measured beside today's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent


def checkout(revision: str, folder: Path) -> Path:
    """Write the files of another commit to a new folder, and return it."""
    folder.mkdir()
    files = subprocess.run(
        ["git", "archive", revision], cwd=BENCH.parent, check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(["tar", "--extract", "--directory", folder], check=True, input=files)
    return folder


def python(root: Path) -> list[str]:
    """Return the command of a Python that imports the program from another folder than the installed one."""
    return ["env", f"PYTHONPATH={root}", sys.executable]

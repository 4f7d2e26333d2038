"""A PostgreSQL server for the time of a bench: prints the URL of an empty database, and ends with its input.

For each line of its input it is stopped as by a crash and started again, and prints how many seconds that took.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.postgres import running


def main() -> None:
    with running(durable=True) as server:
        server.run("CREATE DATABASE {}", "scale")
        print(server.url("scale"), flush=True)
        for _ in sys.stdin:
            began = time.monotonic()
            server.restart()
            print(time.monotonic() - began, flush=True)


if __name__ == "__main__":
    main()

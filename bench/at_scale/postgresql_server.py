"""A PostgreSQL server for the time of a bench: prints the URL of an empty database, and ends with its input."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.postgres import running


def main() -> None:
    with running(durable=True) as server:
        server.run("CREATE DATABASE {}", "scale")
        print(server.url("scale"), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

"""A visitor of the web pages: `python page_probe.py PORT SECONDS PATH`, `… --leave LINKS` or `… --sign-up LIST`.

Every SECONDS it asks for the page, or takes the next link of a file and leaves the list by it (RFC 8058), or signs
up to a list by another address, each time over a new connection. While an answer is late, the visits that are due
meanwhile count too, each from its own moment: a server that hangs for a second keeps fifty visitors waiting, and
not one.

At the end of its input it prints JSON: the moment (of `time.monotonic`) and the seconds of each visit, how many of
them were really made, and how late this process itself was woken.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from urllib.parse import urlencode, urlsplit

_PATIENCE = 120  # seconds
_ONE_CLICK = "List-Unsubscribe=One-Click"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask(port: int, method: str, path: str, body: str | None = None) -> None:
    """Do one request.

    Raises:
        SystemExit: the answer is another than 200.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request(method, path, body, _FORM if body else {})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise SystemExit(f"{method} {path}: {answer.status}")


def leaving(links: Path) -> Iterator[str]:
    """Yield the path of one reader's link after the other."""
    with links.open() as lines:
        for line in lines:
            yield urlsplit(line.strip()).path


def visits(port: int, what: list[str]) -> Callable[[], bool]:
    """Return what does one visit; it returns False when there is none left."""
    if what[0] == "--sign-up":
        addresses = (f"visitor{number}@example.org" for number in count())

        def sign_up() -> bool:
            ask(port, "POST", f"/-/signup/{what[1]}", urlencode({"email": next(addresses)}))
            return True

        return sign_up
    if what[0] != "--leave":
        (path,) = what

        def look() -> bool:
            ask(port, "GET", path)
            return True

        return look
    paths = leaving(Path(what[1]))

    def leave() -> bool:
        path = next(paths, None)
        if path:
            ask(port, "POST", path, _ONE_CLICK)
        return path is not None

    return leave


def main() -> None:
    port, every, *what = sys.argv[1:]
    interval = float(every)
    visit = visits(int(port), what)
    taken: list[tuple[float, float]] = []
    late: list[float] = []
    print("visiting", flush=True)
    due = time.monotonic() + interval
    while True:
        ended, _, _ = select.select([0], [], [], max(0.0, due - time.monotonic()))
        if ended and not os.read(0, 1):
            print(json.dumps({"visits": taken, "made": len(late), "late": late}), flush=True)
            return
        began = time.monotonic()
        if began < due:
            continue
        late.append(began - due)
        if not visit():
            due = began + 3600
            continue
        answered = time.monotonic()
        taken.append((began, answered - began))
        due += interval
        while due < answered:  # who would have come meanwhile
            taken.append((due, answered - due))
            due += interval


if __name__ == "__main__":
    main()

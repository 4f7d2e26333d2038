"""How long commands take to start, beside Python itself, all in one run.

Each command runs in a process of its own, in a working folder with a list, a reader and a small ledger. What
counts is the processor time of all that the command does; `python -c pass` is the limit. A first, uncounted round
writes the compiled modules and the ledger. Rounds alternate between the commands, so that a busy machine slows all
of them; medians are reported. Only ratios carry over to other machines.

    python bench/start.py [--json] [--rounds 5] [--only COMMAND …] [--against REV]

`--against` measures an older commit of this program, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from older import checkout, python

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "python -c pass"
DAY = "2026-03-12"
COMMANDS = {
    "version": "--version",
    "help": "--help",
    "help of run": "run --help",
    "lists check": "lists check",
    "status": "status",
    "issues list": "issues list",
    "deliveries list": "deliveries list",
    "collect": f"collect --date {DAY}",
    "render": f"render --list daily --date {DAY}",
    "run": f"run --dry-run --date {DAY}",
}
LIST = """title = "Daily"
sender = "Daily <papers@example.org>"
postal_address = "1 Reading Lane"
sources = ["jsonl:papers-*.jsonl"]

[[subscribers]]
email = "ann@example.org"
"""
PAPERS = 20


@dataclass(frozen=True)
class Contender:
    """A command of a version of this program, or Python itself."""

    name: str
    command: list[str]
    folder: Path


@dataclass(frozen=True)
class Result:
    """One round of a contender."""

    cpu: float  # seconds
    wall: float  # seconds
    rss: float  # MB at the peak


def working_folder(folder: Path) -> Path:
    """Write a folder with a list, and return it."""
    subscribers = folder / "subscribers"
    subscribers.mkdir(parents=True)
    (subscribers / "daily.toml").write_text(LIST)
    papers = ({"title": f"A study of {number} things", "abstract": "It is studied."} for number in range(PAPERS))
    (subscribers / f"papers-{DAY}.jsonl").write_text("\n".join(map(json.dumps, papers)))
    return folder


def commands(root: Path, folder: Path, *, suffix: str = "") -> list[Contender]:
    """Return the commands of the program as it stands in the folder `root`."""
    program = [*python(root), "-c", "from newsletter.cli import main; main()"]
    return [Contender(name + suffix, [*program, *words.split()], folder) for name, words in COMMANDS.items()]


def contenders(folder: Path, against: str, only: list[str]) -> list[Contender]:
    """Return whom to measure: Python, and all commands or the given ones, of an older commit too."""
    here = working_folder(folder / "today")
    known = commands(ROOT, here)
    if against:
        older = checkout(against, folder / "older")
        known += commands(older, working_folder(folder / "then"), suffix=", older")
    wanted = [one for one in known if not only or one.name.removesuffix(", older") in only]
    return [Contender(PYTHON, [*python(ROOT), "-c", "pass"], here), *wanted]


def environment() -> dict[str, str]:
    """Return what processes are started with: no settings but ours, and modules compiled once and for all."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "NEWSLETTER_LOG__LEVEL": "error"}


def measure(contender: Contender) -> Result:
    """Run a contender once; it must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(
        contender.command,
        cwd=contender.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{contender.name}: exit {process.returncode}: {said}")
    return Result(cpu=usage.ru_utime + usage.ru_stime, wall=wall, rss=usage.ru_maxrss / 1024)


def row(name: str, rounds: list[Result]) -> dict[str, Any]:
    """Return a contender's line of the table."""
    return {
        "command": name,
        "cpu_s": round(statistics.median(one.cpu for one in rounds), 3),
        "wall_s": round(statistics.median(one.wall for one in rounds), 3),
        "rss_mb": round(max(one.rss for one in rounds)),
    }


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[], metavar="COMMAND")
    parser.add_argument("--against", default="", metavar="REV", help="an older commit to measure beside today's")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory(prefix="bench-start-") as name:
        timed = contenders(Path(name), arguments.against, arguments.only)
        for one in timed:
            measure(one)
        results: dict[str, list[Result]] = {one.name: [] for one in timed}
        for _ in range(arguments.rounds):
            for one in timed:
                results[one.name].append(measure(one))
    rows = [row(name, rounds) for name, rounds in results.items()]
    limit = rows[0]["cpu_s"]
    ratios = {line["command"]: round(line["cpu_s"] / limit, 1) for line in rows[1:]}
    if arguments.json:
        print(json.dumps({"ratios": ratios, "rows": rows}))
        return
    print(f"medians of {arguments.rounds} rounds")
    for line in rows:
        print("  {command:<24} {cpu_s:>7.3f} s CPU {wall_s:>7.3f} s {rss_mb:>5} MB".format(**line))
    for name, ratio in ratios.items():
        print(f"  {ratio:6.1f} times the CPU of `{PYTHON}`: {name}")


if __name__ == "__main__":
    main()

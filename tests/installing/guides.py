"""Follows the guides in docs/ to the letter: each block that is marked `sh`, in a copy of a working folder.

A block that cannot run here is marked `sh no-run` with what it needs, such as `docker`.
"""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.documents.markdown import ROOT, Block, blocks
from tests.installing.walking import Walk, fill_in

NO_RUN = "no-run"
# What a block may need that is not here, and why.
NEEDS = {
    "README": "it is a step of README, which was followed before",
    "docker": "a Docker daemon",
    "github": "a repository at GitHub",
    "systemctl": "a machine that systemd runs",
    "postgresql": "a PostgreSQL server of the reader's own",
    "website": "the pages at a public address",
    "index": "a package index",
    "package": "a package that the reader writes",
    "export.csv": "another program's export",
}
_BEGINS_ANEW = "getting-started"  # it makes its own working folder
_AT_ONCE = 2


def steps(block: Block) -> list[str]:
    """Return the commands of a block: its lines, joined where one ends in a backslash, without empty ones."""
    return [line for line in re.sub(r"\\\n\s*", "", block.text).splitlines() if line.strip()]


def guides() -> dict[str, list[Block]]:
    """Return the blocks marked `sh` of each document that has some, by the document's name."""
    found = {path.stem: blocks(path) for path in sorted((ROOT / "docs").glob("*.md"))}
    return {
        name: marked for name, all_ in found.items() if (marked := [one for one in all_ if one.language == "sh"])
    }


def follow(home: Path, world: dict[str, str], quick: Path) -> set[str]:
    """Follow all guides, and return their commands; ends the program with what went wrong, if anything does.

    Args:
        home: where the program is installed, with the working folder that README made.
        world: settings for what stands in for the world.
        quick: a folder with a `newsletter` that starts more quickly.
    """
    began, left_out, done = time.monotonic(), Counter[str](), 0
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        runs = []
        for name, all_ in guides().items():
            left_out.update(one.info[2] for one in all_ if NO_RUN in one.info)
            lines = [line for one in all_ if NO_RUN not in one.info for line in steps(one)]
            done += len(lines)
            runs.append(threads.submit(_follow, name, lines, home, world, quick))
        typed = {line for run in runs for line in run.result()}
    what = ", ".join(f"{count} for {need}" for need, count in sorted(left_out.items()))
    print(f"guides: {done} commands in {time.monotonic() - began:.0f} s; blocks left out: {what}")
    return typed


def _follow(name: str, lines: list[str], home: Path, world: dict[str, str], quick: Path) -> set[str]:
    own = home / "guides" / name
    papers = own / "papers"
    if name == _BEGINS_ANEW:
        own.mkdir(parents=True)
    else:
        shutil.copytree(home / "papers", papers)
    walk = Walk(own, own if name == _BEGINS_ANEW else papers, f"{home}/.local/bin:", quick=quick)
    for line in lines:
        is_new = not papers.exists()
        walk.type(line)
        if is_new and papers.exists():
            fill_in(papers / ".env", world)
    return walk.typed

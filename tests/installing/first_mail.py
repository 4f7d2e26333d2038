"""Does what README says, what `newsletter init` says then, each example of `--help` and each guide, to the letter.

    python -m tests.installing.first_mail HOME

It works in an empty environment with an empty home folder, in which the program gets installed. Two things stand
in for the world: a mail server on this machine, and one that answers as Hugging Face does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from newsletter.cli.examples import EXAMPLES
from newsletter.demo.catch_all import catch_all
from tests.documents.markdown import blocks
from tests.installing.guides import follow
from tests.installing.walking import CHECKOUT, Walk, fill_in, hugging_face, loaded, of_this_machine


def fenced(section: str) -> list[list[str]]:
    """Return the lines of each block of code in a section of README."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    start = text.index(f"\n## {section}\n")
    first, last = (text.count("\n", 0, place) for place in (start, text.index("\n## ", start + 4)))
    return [one.text.splitlines() for one in blocks(CHECKOUT / "README.md") if first < one.line <= last]


def mails(inbox: Path) -> list[str]:
    """Return the subjects of what has arrived, oldest first."""
    paths = sorted((inbox / "new").iterdir())
    return [str(message_from_bytes(path.read_bytes(), policy=default)["Subject"]) for path in paths]


def walk_through(home: Path, inbox: Path, relay: int, huggingface: str) -> None:
    """Do all of it; ends the program with what went wrong, if anything does."""
    walk, world = Walk(home), of_this_machine(relay, huggingface)
    for line in (line for block in fenced("Install") for line in block):
        walk.type(line)
    [init], settings, sending = fenced("Your first mail")
    printed = re.findall(r"^  (\S.*)$", walk.type(init), re.MULTILINE)
    assert len(printed) == 4, printed  # cd, check, preview; and send, for later
    file = home / "papers" / ".env"
    fill_in(file, {name: value for name, value in world.items() if "SMTP" not in name})
    for line in printed[:3]:
        walk.type(line)
    fill_in(file, dict(line.split("=", 1) for line in settings))
    fill_in(file, world)
    for line in (printed[3], *sending):
        walk.type(line)
    test, again, issue = mails(inbox)
    assert test == again == f"[Test] {issue}", mails(inbox)
    [cron], *daily = fenced("Every day")
    for line in (cron.partition("* * * * ")[2], *(line for block in daily for line in block)):
        walk.type(line)
    with loaded(home) as walk.quick:  # what starts a process and ends it was seen by then
        walk.typed |= follow(home, world, walk.quick)
        for line in (line for examples in EXAMPLES.values() for line in examples):
            if line not in walk.typed:
                walk.type(line)
    subjects = mails(inbox)
    assert subjects.count(issue) == 2, subjects  # by README, and by the guide that begins anew


async def main(home: Path) -> None:
    """Serve what stands in for the world, and walk."""
    began = time.monotonic()
    with hugging_face() as address:
        async with catch_all(home / "inbox") as relay:
            await asyncio.to_thread(walk_through, home, home / "inbox", relay, address)
    print(f"first mail: README, guides, init and examples were followed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True)
    asyncio.run(main(Path(sys.argv[1]).resolve()))

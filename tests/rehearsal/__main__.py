"""A fortnight of the workflow of GitHub Actions: `python -m tests.rehearsal`, or `make rehearse`.

Runs come late, twice or not at all; one is lost before it could say what it had sent; a reader leaves by mail. It
prints a table, and ends with 1 if a reader got an issue twice, or did not get one that was due to them.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from newsletter.core.text import counted
from tests.rehearsal.world import READERS, World, world

FIRST, DAYS = date(2026, 3, 2), 14  # summer time begins in America on the seventh day
SEED = 19
LEAVER, LEAVES_ON, LOST_ON = "london@example.org", 5, 8  # days from the first one
_DROPPED, _DOUBLE, _LATE = 0.5, 0.06, 0.25  # of runs that were planned
_MOST_SAID = 1000  # characters of what a run that failed said
_LEFT = "somebody else has changed it"
_LONGEST_GAP = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Planned:
    """Runs that begin at a moment: one, or two at once. `is_lost`: the machine is gone after it has sent."""

    at: datetime
    runs: int = 1
    is_lost: bool = False


def planned(chance: random.Random) -> Iterator[Planned]:
    """Yield the runs that GitHub grants of those which were planned, one an hour."""
    begin = datetime.combine(FIRST, time(4, 23), UTC)
    lost_from = datetime.combine(FIRST + timedelta(days=LOST_ON), time(12), UTC)
    quiet = begin + timedelta(days=3, hours=2)  # from then on, no run for twelve hours
    is_lost = False
    for hour in range(24 * DAYS + 30):
        at = begin + timedelta(hours=hour)
        if hour and (chance.random() < _DROPPED or quiet < at < quiet + _LONGEST_GAP):
            continue
        if chance.random() < _LATE:
            at += timedelta(minutes=chance.randint(1, 30))
        loses = not is_lost and at >= lost_from
        is_lost = is_lost or loses
        yield Planned(at, 2 if hour and not loses and chance.random() < _DOUBLE else 1, loses)


async def rehearse(here: World) -> Counter[str]:
    """Run a fortnight, and return how many runs came to what."""
    counts: Counter[str] = Counter()
    leaves_at = datetime.combine(FIRST + timedelta(days=LEAVES_ON), time(12), UTC)
    has_left = False
    for number, one in enumerate(planned(random.Random(SEED))):  # noqa: S311 (no secret)
        if not has_left and one.at >= leaves_at:
            here.leave(LEAVER)
            has_left = True
        here.set_clock(one.at)
        inputs = {"first": "true"} if number == 0 else {}
        dies_after = "Run" if one.is_lost else ""
        ran = await asyncio.gather(*(here.run(dies_after=dies_after, **inputs) for _ in range(one.runs)))
        counts["runs"] += one.runs
        counts["two at once"] += one.runs == 2
        counts["lost after sending"] += one.is_lost
        counts["left it to another that was at work"] += sum(_LEFT in each.output for each in ran)
        for each in ran:
            if each.failed:
                counts["failed"] += 1
                sys.stdout.write(f"{one.at}: {each.steps}\n{each.output[-_MOST_SAID:]}\n")
    counts["not granted"] = 24 * DAYS + 30 - counts["runs"] + counts["two at once"]
    return counts


def judged(here: World) -> tuple[list[str], bool]:
    """Return a line for each day, and whether each reader got what was due to them, once."""
    lines, is_right = [f"{'day':12}{'mails':>6}{'twice':>6}{'missing':>8}"], True
    for day in range(DAYS):
        got = here.got(day)
        wanted = {reader.partition("@")[0] for reader in READERS if reader != LEAVER or day < LEAVES_ON}
        # On the day on which London leaves, its own copy has gone out before.
        wanted |= {LEAVER.partition("@")[0]} & got.keys() if day == LEAVES_ON else set()
        twice, missing = sum(number > 1 for number in got.values()), len(wanted - got.keys())
        lines.append(f"{FIRST + timedelta(days=day)!s:12}{sum(got.values()):6}{twice:6}{missing:8}")
        is_right &= not twice and got.keys() == wanted
    return lines, is_right


async def main(folder: Path) -> int:
    """Rehearse in a folder, print what it came to, and return the exit code."""
    async with world(folder, [FIRST + timedelta(days=number) for number in range(DAYS)]) as here:
        counts = await rehearse(here)
        here.set_clock(datetime.combine(FIRST + timedelta(days=DAYS + 2), time(), UTC))
        held = await here.run(command="deliveries list --state uncertain")
        lines, is_right = judged(here)
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.writelines(f"{number:6,} {what}\n" for what, number in counts.items())
    uncertain = held.output.count(" uncertain ")
    sys.stdout.write(f"\n{counted(uncertain, 'delivery', 'deliveries')} uncertain, of the run that was lost\n")
    return 0 if is_right else 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
        Path(name).chmod(0o755)  # Dovecot's own user looks into it
        code = asyncio.run(main(Path(name)))
    sys.exit(code)

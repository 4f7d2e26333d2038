"""Fuzzing: inputs made by chance, for everything that strangers send and operators write.

    .venv/bin/python -m tests.fuzz --seconds 1200            # all targets, twenty minutes in all
    .venv/bin/python -m tests.fuzz --seconds 60 --only mathtext --only replies
    .venv/bin/python -m tests.fuzz --only "list files" --seed 3 --input 1234    # print one input again

Prints a line for each target: how many inputs, how many were refused with a documented exception, the slowest of
them; and below it each other exception with the input that showed it, each input that hung, and each text whose
time grew faster than its length. Exit 1 if there was any. `--only` takes areas (feeds, records, pictures,
mathtext, text, tokens, replies, lists, settings, models) and names of targets. The same seed makes the same
inputs, as many as there is time for; `test_fuzz.py` runs a short one with all tests.
"""

from __future__ import annotations

import argparse
import sys
from time import time

from tests.fuzz import feeds, inbound, models, operators, pictures, records, replies, text
from tests.fuzz.run import fuzz_all, input_of

TARGETS = (
    *feeds.TARGETS,
    *records.TARGETS,
    *pictures.TARGETS,
    *text.TARGETS,
    *replies.TARGETS,
    *operators.TARGETS,
    *inbound.TARGETS,
    *models.TARGETS,
)


def main() -> int:
    """Run what the command line asks for."""
    words = {word for target in TARGETS for word in (target.area, target.name)}
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--only", action="append", choices=sorted(words), help="an area or a target; may repeat")
    parser.add_argument("--seed", type=int, default=int(time()))
    parser.add_argument("--input", type=int, help="print this input of the target and run nothing")
    asked = parser.parse_args()
    targets = [one for one in TARGETS if not asked.only or {one.area, one.name} & set(asked.only)]
    if asked.input is not None:
        print(repr(input_of(targets[0], asked.seed, asked.input)))
        return 0
    inputs, good = 0, True
    print(f"{len(targets)} targets, seed {asked.seed}")
    for result in fuzz_all(targets, asked.seconds, asked.seed):
        print("\n".join(result.lines()), flush=True)
        inputs += result.inputs + result.shapes
        good = good and result.is_good
    print(f"{inputs:,} inputs; {'nothing found' if good else 'something found: see above'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

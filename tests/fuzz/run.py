"""Runs targets for a while and says what came of it."""

from __future__ import annotations

import gc
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from time import monotonic, process_time
from typing import Any

import structlog

from tests.fuzz.growth import Shape, Steep, steep
from tests.fuzz.target import UNITS, Target

LONGEST = 10  # seconds that one input may take before it counts as a hang
_KEPT = 5  # findings of a kind that are shown
_SHARE_OF_GROWTH = 0.4  # of a target's time


class HangError(Exception):
    """An input was not done in time."""


@dataclass(slots=True)
class Result:
    """What came of one target."""

    name: str
    inputs: int = 0
    shapes: int = 0
    documented: int = 0  # inputs that ended in a documented exception
    slowest: float = 0.0  # seconds of the processor
    slowest_input: str = ""
    failures: dict[str, str] = field(default_factory=dict)  # by exception and place, the input that showed it
    growth: list[Steep] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Return whether nothing was found."""
        return not self.failures and not self.growth

    def lines(self) -> Iterator[str]:
        """Yield the result for people."""
        yield (
            f"{self.name:<28}{self.inputs:>9,} inputs{self.shapes:>7,} shapes{self.documented:>9,} refused"
            f"  slowest {self.slowest * 1000:8.1f} ms ({self.slowest_input})"
        )
        for error, shown in list(self.failures.items())[:_KEPT]:
            yield f"  {error}\n    {shown}"
        for found in self.growth[:_KEPT]:
            yield f"  grows faster than its input: {found}"


def fuzz(target: Target, seconds: float, seed: int) -> Result:
    """Return what a target does, for so long, with inputs that are made by chance, the same for the same seed."""
    result = Result(target.name)
    end = monotonic() + seconds
    with _quiet():
        while not result.inputs or monotonic() < end - seconds * _SHARE_OF_GROWTH:
            _try(target, seed, result)
        for shape in _shapes(target, seed):
            if monotonic() >= end or len(result.growth) >= _KEPT:
                break
            _grow(target, shape, result)
    return result


def fuzz_briefly(target: Target, inputs: int, shapes: int, seed: int) -> Result:
    """Return what a target does with so many inputs and shapes, the same on any machine."""
    result = Result(target.name)
    with _quiet():
        for _ in range(inputs):
            _try(target, seed, result)
        for shape in islice(_shapes(target, seed), shapes):
            _grow(target, shape, result)
    return result


def input_of(target: Target, seed: int, number: int) -> Any:
    """Return an input again, by its number."""
    return target.make(_chance(seed, target, number))


def _chance(seed: int, target: Target, number: int) -> Random:
    return Random(f"{seed} {target.name} {number}")  # noqa: S311 -- no secret comes of it


def _shapes(target: Target, seed: int) -> Iterator[Shape]:
    """Yield first each unit by itself, in an order by chance as time may be short, then mixtures."""
    random = _chance(seed, target, -1)
    yield from (Shape("", unit, "") for unit in random.sample(UNITS, len(UNITS)))
    while True:
        yield Shape.of(random)


def _grow(target: Target, shape: Shape, result: Result) -> None:
    try:
        with _limited():
            found = steep(target, shape)
    except Exception as error:  # noqa: BLE001 -- it is what is looked for
        result.failures.setdefault(_place(error), str(shape))
    else:
        result.shapes += 1
        if found:
            result.growth.append(found)


def _try(target: Target, seed: int, result: Result) -> None:
    name, value = f"input {result.inputs}", input_of(target, seed, result.inputs)
    result.inputs += 1
    began = process_time()
    try:
        with _limited():
            target.check(value)
    except target.documented:
        result.documented += 1
    except Exception as error:  # noqa: BLE001 -- it is what is looked for
        result.failures.setdefault(_place(error), f"{name}: {_shown(value)}")
    if (took := process_time() - began) > result.slowest:
        result.slowest, result.slowest_input = took, name


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text):,} characters)"


def _place(error: Exception) -> str:
    """Return an exception with where it was raised, which tells one fault from another."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(str(error).split())[:160]
    return f"{type(error).__name__} in {frame.filename.rpartition('/')[2]}:{frame.lineno} ({frame.name}): {said}"


@contextmanager
def _limited() -> Iterator[None]:
    """End what takes too long, by a signal: Python's own code and regular expressions heed it."""

    def ring(*_: object) -> None:
        raise HangError(f"not done after {LONGEST} seconds of the processor")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what sources log of odd records, and keep what is alive already out of garbage collection."""
    before = structlog.get_config()

    def drop(*_: object) -> Any:
        raise structlog.DropEvent

    structlog.configure(processors=[drop], cache_logger_on_first_use=False)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        structlog.configure(**before)


def fuzz_all(targets: Sequence[Target], seconds: float, seed: int) -> Iterator[Result]:
    """Yield the result of each target, with an equal share of the time."""
    for target in targets:
        yield fuzz(target, seconds / len(targets), seed)

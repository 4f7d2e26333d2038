"""A short run of the fuzzer, the same each time; `python -m tests.fuzz` makes a long one."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import TARGETS
from tests.fuzz.growth import Shape, steep
from tests.fuzz.run import fuzz_briefly
from tests.fuzz.target import Target, text_target

SEED = 12


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_inputs_made_by_chance_end_well_or_in_a_documented_error(target: Target) -> None:
    result = fuzz_briefly(target, inputs=60, shapes=0, seed=SEED)
    assert result.is_good, "\n".join(result.lines())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_time_grows_no_faster_than_the_input(target: Target) -> None:
    result = fuzz_briefly(target, inputs=0, shapes=2, seed=SEED)
    assert result.is_good, "\n".join(result.lines())


@pytest.mark.parametrize(("power", "found"), [(1, False), (2, True), (3, True)])
def test_the_fuzzer_finds_time_that_grows_faster_than_the_input(power: int, found: bool) -> None:
    used = 0.0

    def work(text: str) -> None:
        nonlocal used
        used += (len(text) / 10_000) ** power

    steeper = steep(text_target("work", "test", work), Shape("", "ab", ""), clock=lambda: used)

    assert (steeper is not None) == found


def test_the_fuzzer_finds_errors_that_are_not_documented() -> None:
    def fails(text: str) -> None:
        if "{" in text:
            raise KeyError("a brace")

    result = fuzz_briefly(text_target("fails", "test", fails), inputs=100, shapes=0, seed=SEED)
    assert result.inputs == 100
    assert [error.partition(" in ")[0] for error in result.failures] == ["KeyError"]
    assert fuzz_briefly(
        text_target("fails", "test", fails, documented=(KeyError,)), inputs=100, shapes=0, seed=SEED
    ).is_good

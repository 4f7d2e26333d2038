"""A short run of the fuzzer, the same each time; `python -m tests.fuzz` makes a long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fuzz.__main__ import TARGETS
from tests.fuzz.growth import Shape, steep
from tests.fuzz.run import fuzz_briefly
from tests.fuzz.target import text_target

if TYPE_CHECKING:
    from tests.fuzz.target import Target

SEED = 12


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_inputs_made_by_chance_end_well_or_in_a_documented_error(target: Target) -> None:
    result = fuzz_briefly(target, inputs=60, shapes=0, seed=SEED)
    assert result.is_good, "\n".join(result.lines())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_time_grows_no_faster_than_the_input(target: Target) -> None:
    result = fuzz_briefly(target, inputs=0, shapes=2, seed=SEED)
    assert result.is_good, "\n".join(result.lines())


def test_the_fuzzer_finds_what_it_looks_for() -> None:
    def quadratic(text: str) -> None:
        for start in range(0, len(text), 40):
            text[start:].count("\x01")

    def fails(text: str) -> None:
        if "{" in text:
            raise KeyError("a brace")

    assert steep(text_target("quadratic", "test", quadratic), Shape("", "ab", ""))
    assert not steep(text_target("linear", "test", lambda text: list(text * 20)), Shape("", "ab", ""))
    result = fuzz_briefly(text_target("fails", "test", fails), inputs=100, shapes=0, seed=SEED)
    assert result.inputs == 100
    assert [error.partition(" in ")[0] for error in result.failures] == ["KeyError"]
    assert fuzz_briefly(
        text_target("fails", "test", fails, documented=(KeyError,)), inputs=100, shapes=0, seed=SEED
    ).is_good

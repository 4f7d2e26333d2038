"""What is to be done where a ledger is copied, by what both databases say of earlier attempts."""

from __future__ import annotations

import pytest

from newsletter.core.errors import UsageError
from newsletter.core.ledger_copies import CopyMark, Side, Step, next_step, out_of_use


def mark(side: Side, *, of: str = "one", done: bool = False, revision: str = "0030") -> CopyMark:
    return CopyMark(token=of, side=side, other="the other", revision=revision, is_done=done)


def step(source: CopyMark | None, target: CopyMark | None, *, is_empty: bool = False) -> Step:
    return next_step(
        source, target, source_name="source", target_name="target", revision="0030", is_empty=is_empty
    )


SOURCE, TARGET = Side.SOURCE, Side.TARGET


@pytest.mark.parametrize(
    ("source", "target", "is_empty", "expected"),
    [
        (None, None, True, Step.BEGIN),
        (mark(TARGET, of="earlier", done=True), None, True, Step.BEGIN),  # a copy is a ledger like others
        (None, mark(TARGET), False, Step.BEGIN),  # killed before the source was put out of use, or reopened
        (mark(SOURCE), mark(TARGET), False, Step.GO_ON),
        (mark(SOURCE), mark(TARGET, revision="0029"), False, Step.BEGIN),  # upgraded meanwhile
        (mark(SOURCE), mark(TARGET, done=True), False, Step.END),
    ],
)
def test_a_copy_is_begun_once_and_gone_on_with(
    source: CopyMark | None, target: CopyMark | None, is_empty: bool, expected: Step
) -> None:
    assert step(source, target, is_empty=is_empty) is expected


@pytest.mark.parametrize(
    ("source", "target", "is_empty", "why"),
    [
        (None, None, False, "target: holds a ledger already"),
        (None, mark(TARGET, done=True), False, "target: holds a ledger already"),
        (mark(TARGET), None, True, "source: holds half a copy of the other"),
        (mark(SOURCE, done=True), None, True, "source: was copied to the other"),
        (mark(SOURCE), None, True, "source: is being copied to the other"),
        (mark(SOURCE), mark(TARGET, of="two"), False, "source: is being copied to the other"),
    ],
)
def test_no_ledger_is_written_over_and_none_is_copied_to_two_places(
    source: CopyMark | None, target: CopyMark | None, is_empty: bool, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        step(source, target, is_empty=is_empty)


@pytest.mark.parametrize("done", [True, False])
def test_of_the_two_databases_of_a_copy_just_one_can_be_used_or_none_before_the_copy_is_whole(done: bool) -> None:
    assert out_of_use(mark(SOURCE, done=done))
    assert bool(out_of_use(mark(TARGET, done=done))) is not done

"""Steps of two workers that hold a delivery in turn: one that was taken for dead and wakes up does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import WAITING, Change, DeliveryState, Uncertain
from newsletter.core.steps import Standing, Step, cut_off, walk
from tests.delivery.fakes import NOW

QUEUED, SENDING, SENT = DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT
DEFERRED, REFUSED, UNCERTAIN = DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN
KEY = 1
MINE, OTHERS = "mine", "other's"


def change(state: DeliveryState, attempts: int) -> Change:
    return Change(key=KEY, state=state, at=NOW, attempts=attempts, suppress=state is REFUSED)


@pytest.mark.parametrize(
    "standing",
    [
        Standing(QUEUED, NOW, 0, None),
        Standing(QUEUED, NOW, 0, OTHERS),
        Standing(QUEUED, NOW, 1, MINE),
        Standing(SENDING, NOW, 1, OTHERS),
        Standing(UNCERTAIN, NOW, 1, None),
        Standing(SENT, NOW, 1, None),
    ],
)
def test_an_intent_counts_only_for_who_holds_the_delivery_as_it_was_claimed(standing: Standing) -> None:
    walked = walk({KEY: standing}, [change(SENDING, 1)], MINE)

    assert not walked.steps
    assert [one.state for one, _ in walked.left_out] == [SENDING]


@pytest.mark.parametrize("state", [SENT, DEFERRED])
def test_the_late_outcome_of_what_is_uncertain_is_taken(state: DeliveryState) -> None:
    [step] = walk({KEY: Standing(UNCERTAIN, NOW, 2, None)}, [change(state, 2)], MINE).steps

    assert (step.state, step.attempts, step.claimed_by) == (state, 2, None)


@pytest.mark.parametrize(
    "standing",
    [
        Standing(UNCERTAIN, NOW, 2, None),  # of a later attempt
        Standing(SENDING, NOW, 1, OTHERS),
        Standing(SENDING, NOW, 2, MINE),
        Standing(DEFERRED, NOW, 1, OTHERS),
        Standing(QUEUED, NOW, 1, None),
    ],
)
def test_the_late_outcome_of_what_others_went_on_with_is_left_out_and_suppresses_nobody(
    standing: Standing,
) -> None:
    walked = walk({KEY: standing}, [change(SENT, 1), change(REFUSED, 1)], MINE)

    assert (walked.steps, walked.suppress) == ([], [])
    assert len(walked.left_out) == 2


def test_a_worker_may_give_back_what_it_began_and_begin_it_anew() -> None:
    held = Standing(QUEUED, NOW, 0, MINE)
    [*_, queued] = walk({KEY: held}, [change(SENDING, 1), change(QUEUED, 0)], MINE).steps
    assert (queued.state, queued.attempts) == (QUEUED, 0)

    again = walk({KEY: queued._replace(claimed_by=MINE)}, [change(SENDING, 1), change(SENT, 1)], MINE)
    assert [step.state for step in again.steps] == [SENDING, SENT]


def test_what_a_worker_deferred_in_doubt_it_may_queue_again_unless_another_has_claimed_it() -> None:
    deferred = Standing(DEFERRED, NOW, 2, None)

    assert walk({KEY: deferred}, [change(QUEUED, 1)], MINE).steps
    assert not walk({KEY: deferred._replace(claimed_by=OTHERS)}, [change(QUEUED, 1)], MINE).steps


@dataclass
class Ledger:
    """One delivery, and what its workers know of it: `claimed` with how many attempts, `began` which one.

    `relay` holds the workers whose messages were handed over, with the attempt that each was.
    """

    now: Standing | Step = field(default_factory=lambda: Standing(QUEUED, NOW))
    claimed: dict[str, int] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)
    relay: list[tuple[str, int]] = field(default_factory=list)
    given_back: int = 0
    cut_off: int = 0
    suppressed_by: list[tuple[str, int]] = field(default_factory=list)

    def write(self, changes: Sequence[Change], worker: str | None) -> bool:
        walked = walk({KEY: self.now}, changes, worker)
        for step in walked.steps:
            self.now = step
        self.suppressed_by += [(worker or "", one.attempts) for one in walked.suppress]
        return not walked.left_out

    def claim(self, worker: str) -> None:
        if self.now.state in WAITING and self.now.claimed_by is None:
            self.now = self.now._replace(claimed_by=worker)
            self.claimed[worker] = self.now.attempts

    def begin(self, worker: str) -> None:
        if worker in self.claimed and worker not in self.began:
            attempt = self.claimed.pop(worker) + 1
            if self.write([change(SENDING, attempt)], worker):
                self.relay.append((worker, attempt))
                self.began[worker] = attempt

    def end(self, worker: str, state: DeliveryState) -> None:
        if worker in self.began:
            attempt = self.began.pop(worker)
            last = self.relay[-1] == (worker, attempt)
            taken = self.write([change(state, attempt - (state is QUEUED))], worker)
            assert last or not taken, "the outcome of an attempt after which another was made"
            self.given_back += taken and state in WAITING

    def bury(self, worker: str, policy: Uncertain) -> None:
        """Take away what a worker holds, as recovery does; the worker may not know of it yet."""
        if self.now.claimed_by != worker:
            return
        if self.now.state == SENDING:
            self.cut_off += 1
            assert self.write(cut_off([(KEY, self.now.attempts)], policy, NOW), None)
        else:
            self.now = self.now._replace(claimed_by=None)


_WORKER = st.sampled_from(["a", "b"])
_ACTS = st.one_of(
    st.tuples(st.just("claim"), _WORKER),
    st.tuples(st.just("begin"), _WORKER),
    st.tuples(st.just("end"), _WORKER, st.sampled_from([SENT, REFUSED, DEFERRED, QUEUED, UNCERTAIN])),
    st.tuples(st.just("bury"), _WORKER, st.sampled_from(Uncertain)),
)


@given(st.lists(_ACTS, min_size=4, max_size=30))
def test_however_two_workers_come_in_between_each_other_copies_are_those_that_were_cut_off(
    acts: list[tuple[str, ...]],
) -> None:
    ledger = Ledger()
    for act, *arguments in acts:
        getattr(ledger, act)(*arguments)
        if ledger.now.state == SENDING:
            assert ledger.relay[-1] == (ledger.now.claimed_by, ledger.now.attempts)

    assert len(ledger.relay) <= 1 + ledger.given_back + ledger.cut_off
    assert all(one == ledger.relay[-1] for one in ledger.suppressed_by)

"""What comes back, and what follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.bounces import IN_A_ROW, EventKind, Fate, Outcome, kind_of_failure, outcome_of
from tests.timing import takes_time_in_proportion

KEPT, BACK, SEEMS_BACK = Fate(came_back=False), Fate(came_back=True, is_proven=True), Fate(came_back=True)
HARD, SOFT = EventKind.HARD, EventKind.SOFT

fates = st.lists(st.sampled_from([KEPT, BACK, SEEMS_BACK]), max_size=12)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        ("5.1.1", "", HARD),
        ("5.1.2", "", HARD),
        ("5.1.0", "address unknown in our records: user unknown", HARD),
        ("5.0.0", "550 5.1.1 no", HARD),  # the text says more than the status
        ("5.1.1", "550 4.2.2 over quota", SOFT),  # what is full is there
        ("4.1.1", "user unknown", SOFT),  # a server that was not sure for days
        ("5.2.2", "", SOFT),
        ("5.2.1", "disabled", HARD),
        ("5.2.0", "account is disabled", HARD),
        ("5.7.13", "", HARD),
        ("5.7.1", "user unknown", HARD),
        ("5.7.1", "access denied", EventKind.OURS),
        ("5.7.509", "", EventKind.OURS),
        ("5.6.0", "user unknown", EventKind.OURS),
        ("5.3.4", "", EventKind.OURS),
        ("5.1.8", "sender unknown", EventKind.OURS),
        ("4.4.7", "user unknown", EventKind.EXPIRED),
        ("5.4.7", "", EventKind.EXPIRED),
        ("", "domain name not found", HARD),
        ("", "This account has been suspended", HARD),
        ("", "blocked using Spamhaus", EventKind.OURS),
        ("", "something else", SOFT),
        ("", "<user.unknown@no.such.user.example> later", SOFT),  # an address says nothing
        ("odd", "", SOFT),
    ],
)
def test_a_failure_is_understood_by_its_code_and_else_by_its_words(
    status: str, text: str, kind: EventKind
) -> None:
    assert kind_of_failure(status, text) is kind


def test_five_in_a_row_with_no_success_between_call_an_address_dead() -> None:
    def follows(*newest_first: Fate) -> Outcome:
        return outcome_of(SOFT, is_proven=True, fates=newest_first)

    assert follows(*[BACK] * 4) is Outcome.COUNTED
    assert follows(*[BACK] * 5) is Outcome.DEAD
    assert follows(*[BACK] * 3, KEPT, *[BACK] * 5) is Outcome.COUNTED
    assert follows(KEPT, *[BACK] * 5) is Outcome.DEAD  # the newest may come back still
    assert follows(*[SEEMS_BACK] * 5) is Outcome.COUNTED
    assert follows(*[SEEMS_BACK] * 4, BACK) is Outcome.DEAD


@given(fates)
def test_an_address_alone_never_suppresses_but_by_a_complaint(seen: list[Fate]) -> None:
    seeming = [Fate(fate.came_back) for fate in seen]
    for kind in EventKind:
        follows = outcome_of(kind, is_proven=False, fates=seeming)
        assert (follows is Outcome.SUPPRESSED) is (kind is EventKind.COMPLAINT)
        assert follows is not Outcome.DEAD


@given(fates, st.booleans())
def test_what_is_about_us_or_by_a_machine_never_counts(seen: list[Fate], is_proven: bool) -> None:
    for kind in (EventKind.OURS, EventKind.NOTHING):
        assert outcome_of(kind, is_proven=is_proven, fates=seen) is Outcome.IGNORED


@given(fates)
def test_fewer_than_five_mails_that_came_back_are_never_enough(seen: list[Fate]) -> None:
    if sum(fate.came_back for fate in seen) < IN_A_ROW:
        assert outcome_of(SOFT, is_proven=True, fates=seen) is Outcome.COUNTED


@pytest.mark.parametrize("piece", ["user ", "mailbox is ", "@", "5.1.", "a@b ", "exceeds the ", "mailbox\t"])
def test_hostile_words_take_little_time(piece: str) -> None:
    def read(text: str) -> None:
        kind_of_failure(text, text)

    assert takes_time_in_proportion(read, piece * (200_000 // len(piece)), seconds=0.5)

"""When a provider may be mistaken about its readers' addresses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.dead_addresses import enough_taken, is_providers_fault


@given(dead=st.integers(0, 100_000), taken=st.integers(0, 10_000_000))
def test_beyond_enough_no_number_of_others_taken_changes_the_answer(dead: int, taken: int) -> None:
    counted = min(taken, enough_taken(dead))

    assert is_providers_fault(dead, counted, took_before=True) == is_providers_fault(dead, taken, took_before=True)

"""How many processes deliver, and what is each one's share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.processes import Processes, processes_for, share

some = st.integers(1, 100)


@given(total=st.integers(0, 10_000), count=some)
def test_shares_make_up_the_total_and_differ_by_one_at_most(total: int, count: int) -> None:
    shares = [share(total, place, count) for place in range(count)]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@given(
    wanted=st.integers(0, 100),
    cores=some,
    connections=st.lists(some, min_size=1),
    at_once=st.lists(some),
    rate=st.floats(0, 10_000),
)
def test_each_process_has_a_connection_to_each_relay_and_a_message_for_each_domain(
    wanted: int, cores: int, connections: list[int], at_once: list[int], rate: float
) -> None:
    found = processes_for(wanted, cores=cores, connections=connections, at_once=at_once, rate=rate)

    assert found.count >= 1
    assert all(share(limit, place, found.count) for limit in connections + at_once for place in range(found.count))
    assert found.count <= (wanted or cores)
    assert bool(found.reason) == (found.count < wanted)


def test_as_many_as_there_are_cores_unless_the_relay_is_slow() -> None:
    assert processes_for(0, cores=8, connections=[16], at_once=[], rate=0) == Processes(8)
    assert processes_for(0, cores=64, connections=[100], at_once=[], rate=0) == Processes(8)
    assert processes_for(0, cores=8, connections=[16], at_once=[], rate=14) == Processes(1)
    assert processes_for(3, cores=8, connections=[16], at_once=[], rate=14) == Processes(3)


def test_it_is_said_what_allows_no_more() -> None:
    assert processes_for(4, cores=8, connections=[16, 2], at_once=[3], rate=0) == Processes(
        2, "a relay takes 2 connections"
    )
    assert processes_for(4, cores=8, connections=[16], at_once=[3, 1], rate=0) == Processes(
        1, "a domain gets 1 messages at the same time"
    )

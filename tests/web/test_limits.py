"""Who holds a connection, and who has to leave for a newcomer."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.store.engine import PATIENCE
from newsletter.web.limits import Limits, Places, client_of, connections_for


@dataclass(eq=False)
class Visitor:
    """A connection that notes why it was closed."""

    dropped: list[str] = field(default_factory=list)

    def drop(self, reason: str) -> None:
        self.dropped.append(reason)


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:081b"),
        ("2a00:1450:4001:81b:ffff::1", "2a00:1450:4001:081b"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("10.1.2.3", ""),
        ("172.17.0.1", ""),
        ("192.168.1.1", ""),
        ("fd00::1", ""),
        ("fe80::1%eth0", ""),
        ("", ""),
        ("no address", ""),
    ],
)
def test_a_client_is_an_address_or_a_network_but_not_what_may_be_a_proxy(address: str, client: str) -> None:
    assert client_of(address) == client


@pytest.mark.parametrize(("descriptors", "connections"), [(64, 8), (256, 96), (1024, 480), (65_536, 1000), (4, 8)])
def test_pages_get_half_of_what_others_leave_and_no_more_than_they_need(
    descriptors: int, connections: int
) -> None:
    assert connections_for(descriptors) == connections


def test_who_has_waited_for_the_longest_leaves_for_a_newcomer() -> None:
    places = Places(Limits(connections=3))
    first, second, third, fourth = (Visitor() for _ in range(4))
    for connection in (first, second, third):
        assert places.enter(connection, "127.0.0.1")
    places.works(first)
    assert places.enter(fourth, "127.0.0.1")
    assert (first.dropped, second.dropped, third.dropped) == ([], ["too many"], [])
    assert len(places) == 3


def test_who_has_been_answered_stands_behind_those_who_wait() -> None:
    places = Places(Limits(connections=2))
    first, second, third = (Visitor() for _ in range(3))
    places.enter(first, "")
    places.enter(second, "")
    places.works(first)
    places.waits(first)
    assert places.enter(third, "")
    assert (first.dropped, second.dropped) == ([], ["too many"])


def test_nobody_leaves_while_all_are_being_answered() -> None:
    places = Places(Limits(connections=2))
    held = [Visitor(), Visitor()]
    for connection in held:
        places.enter(connection, "")
        places.works(connection)
    assert not places.enter(Visitor(), "")
    assert [connection.dropped for connection in held] == [[], []]
    places.leave(held[0])
    assert places.enter(Visitor(), "")


def test_one_client_takes_room_from_itself_alone() -> None:
    places = Places(Limits(connections=10, per_client=2))
    other, first, second, third = (Visitor() for _ in range(4))
    assert places.enter(other, "9.9.9.9")
    assert places.enter(first, "2a00:1450:4001:81b::1")
    assert places.enter(second, "2a00:1450:4001:81b::2")
    assert places.enter(third, "2a00:1450:4001:81b::3")
    assert (other.dropped, first.dropped, second.dropped) == ([], ["too many of one client"], [])
    places.works(second)
    places.works(third)
    assert not places.enter(Visitor(), "2a00:1450:4001:81b::4")
    assert places.enter(Visitor(), "8.8.8.8")


@given(
    st.lists(
        st.tuples(st.sampled_from(["enter", "works", "waits", "leave"]), st.integers(0, 9), st.integers(0, 3)),
        max_size=80,
    )
)
def test_limits_hold_and_nothing_is_forgotten_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    limits = Limits(connections=5, per_client=2)
    places = Places(limits)
    held: dict[Visitor, str] = {}
    for step, number, client in steps:
        address = f"8.8.8.{client}" if client else "127.0.0.1"
        known = list(held)
        connection = known[number] if number < len(known) else None
        if step == "enter":
            newcomer = Visitor()
            if places.enter(newcomer, address):
                held[newcomer] = address
        elif connection and step == "works":
            places.works(connection)
        elif connection and step == "waits":
            places.waits(connection)
        elif connection:
            places.leave(connection)
            del held[connection]
        for gone in [visitor for visitor in held if visitor.dropped]:
            assert len(gone.dropped) == 1
            places.leave(gone)  # as its connection does when it is lost
            del held[gone]
        assert len(places) == len(held) <= limits.connections
        for name in set(held.values()) - {"127.0.0.1"}:
            assert list(held.values()).count(name) <= limits.per_client
    for connection in list(held):
        places.leave(connection)
    assert (len(places), places._waiting, places._of_client) == (0, {}, {})


def test_who_waits_for_the_ledger_is_answered_when_that_fails() -> None:
    assert Limits().answer >= PATIENCE + 10

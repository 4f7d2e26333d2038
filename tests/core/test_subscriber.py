from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus, plan_sync

addresses = st.sampled_from([f"reader{number}@example.org" for number in range(6)])
people = st.lists(st.builds(Subscriber, list=st.just("daily"), email=addresses, name=st.sampled_from("AB")))


def reader(email: str = "ann@example.org", **values: object) -> Subscriber:
    return Subscriber(**{"list": "daily", "email": email, **values})  # type: ignore[arg-type]


def test_new_names_are_added_and_changed_ones_changed() -> None:
    plan = plan_sync([reader()], [reader(name="Ann"), reader("bob@example.org")])
    assert [one.name for one in plan.changed] == ["Ann"]
    assert [one.email for one in plan.added] == ["bob@example.org"]
    assert not plan.removed


def test_who_is_no_longer_named_is_removed_unless_the_file_did_not_bring_him() -> None:
    known = [reader(), reader("bob@example.org", origin=Origin.SIGNUP)]
    plan = plan_sync(known, [])
    assert [(one.email, one.status) for one in plan.removed] == [("ann@example.org", SubscriberStatus.REMOVED)]


def test_who_unsubscribed_stays_so_although_the_file_names_him() -> None:
    gone = reader(status=SubscriberStatus.UNSUBSCRIBED)
    assert plan_sync([gone], [reader()]).unchanged == 1
    assert plan_sync([gone], [reader(name="Ann")]).changed[0].status is SubscriberStatus.UNSUBSCRIBED


def test_who_comes_back_into_the_file_is_active_again() -> None:
    removed = reader(status=SubscriberStatus.REMOVED)
    assert plan_sync([removed], [reader()]).changed == (reader(),)


@given(people, people)
def test_syncing_twice_changes_nothing_more(known: list[Subscriber], wanted: list[Subscriber]) -> None:
    wanted = list({one.address_key: one for one in wanted}.values())
    state = {one.address_key: one for one in known}
    plan = plan_sync(state.values(), wanted)
    for one in (*plan.added, *plan.changed, *plan.removed):
        state[one.address_key] = replace(one)
    again = plan_sync(state.values(), wanted)
    assert not (again.added)
    assert not (again.changed)
    assert not (again.removed)
    assert again.unchanged == len(wanted)

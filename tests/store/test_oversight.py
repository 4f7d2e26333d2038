"""What operators look at, in each engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.core.bounces import EventKind, FoundBy, InboundEvent, Outcome
from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.signup import Ceilings, SignUpMail, SignUpRequest
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Place, RelayRate, Store, Suppression
from tests.delivery.fakes import NOW
from tests.delivery.stores import freeze, freeze_for
from tests.store.samples import DAY, SOURCE, paper, record

DEFERRED, UNCERTAIN, SENT = DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.SENT
STUCK = (DEFERRED, UNCERTAIN)


async def bring(store: Store, issue_key: int, *states: DeliveryState) -> list[int]:
    """Bring the first deliveries of an issue into states; return their numbers."""
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue_key, now=NOW, limit=len(states))
        for one, state in zip(claimed, states, strict=True):
            begun = Change(key=one.key, state=DeliveryState.SENDING, at=NOW, attempts=1)
            ended = begun._replace(state=state, next_attempt_at=NOW + timedelta(hours=1))
            await store.outbox.record([begun, ended])
    return [one.key for one in claimed]


async def test_what_hangs_is_read_page_by_page_newer_issues_first(store: Store) -> None:
    older = await freeze_for(store, 4)
    newer = await freeze(store, 2)
    theirs = await bring(store, older, DEFERRED, SENT, UNCERTAIN)
    ours = await bring(store, newer, UNCERTAIN, DEFERRED)

    seen: list[Place] = []
    while found := await store.oversight.deliveries(STUCK, after=seen[-1] if seen else None, limit=2):
        seen += [one.place for one in found]

    expected = [*((newer, key) for key in ours), (older, theirs[0]), (older, theirs[2])]
    assert seen == [Place(*place) for place in expected]
    [one] = await store.oversight.deliveries([DEFERRED], issue_key=older, limit=9)
    assert (one.place.key, one.record.state, one.record.attempts) == (theirs[0], DEFERRED, 1)


async def test_deliveries_are_summed_up_from_a_day_on(store: Store) -> None:
    older = await freeze_for(store, 4)
    newer = await freeze(store, 2)
    await bring(store, older, SENT, DEFERRED)
    await bring(store, newer, SENT)
    issue = await store.issues.get(newer)
    assert issue is not None
    totals = await store.oversight.totals(issue.day)
    assert (totals[SENT], totals[DEFERRED], totals[DeliveryState.QUEUED]) == (1, 0, 3)
    assert (await store.oversight.totals(issue.day - timedelta(days=1)))[SENT] == 2
    assert (await store.oversight.totals(issue.day + timedelta(days=1)))[SENT] == 0


async def test_one_delivery_is_hastened_and_no_other(store: Store) -> None:
    issue = await freeze_for(store, 3)
    first, second = await bring(store, issue, DEFERRED, DEFERRED)
    assert await store.outbox.hasten(issue, now=NOW, states=[DEFERRED], key=second) == 1
    assert await store.outbox.hasten(issue, now=NOW, states=[UNCERTAIN], key=first) == 0
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue, now=NOW, limit=9)
    assert first not in {one.key for one in claimed}
    assert second in {one.key for one in claimed}


async def test_what_came_back_is_counted_by_what_it_means(store: Store) -> None:
    await freeze_for(store, 3)
    came = [(EventKind.SOFT, 1), (EventKind.SOFT, 2), (EventKind.COMPLAINT, 3), (EventKind.SOFT, None)]
    of_us = {"source": "mail", "found_by": FoundBy.HEADER, "status": "4.2.2"}
    events = [
        InboundEvent(id=str(number), kind=kind, subscriber_key=key, **of_us)  # type: ignore[arg-type]
        for number, (kind, key) in enumerate(came)
    ]
    await store.inbound.take(events, now=NOW)
    found = await store.oversight.came_back(NOW)
    assert [(one.kind, one.outcome, one.number) for one in found] == [
        (EventKind.SOFT, Outcome.COUNTED, 2),
        (EventKind.COMPLAINT, Outcome.SUPPRESSED, 1),
    ]
    assert await store.oversight.came_back(NOW + timedelta(seconds=1)) == []


async def test_papers_of_sources_are_counted_by_day(store: Store) -> None:
    await record(store, paper(1), paper(2))
    await record(store, paper(3), day=DAY - timedelta(days=1))
    found = await store.oversight.read_counts([SOURCE, "none"], DAY)
    assert {source: dict(days) for source, days in found.items()} == {SOURCE: {DAY: 2}}


async def test_suppressions_are_read_page_by_page_by_their_beginning(store: Store) -> None:
    addresses = ["ann@a.example", "anna@a.example", "bob@a.example", "@a.example", "an@a.example"]
    await store.suppressions.add(
        [
            Suppression(address=address, list=on, reason="x", since=NOW, by=SuppressedBy.OPERATOR)
            for address in addresses
            for on in (None, "daily")
        ],
        now=NOW,
    )
    seen: list[Suppression] = []
    while found := await store.suppressions.find(beginning="an", after=seen[-1] if seen else None, limit=2):
        seen += found
    assert [(one.address, one.list) for one in seen] == [
        (address, on) for address in ("an@a.example", "ann@a.example", "anna@a.example") for on in (None, "daily")
    ]
    assert await store.suppressions.number() == 10
    assert await store.suppressions.number(held=True) == 0


async def test_who_confirmed_waits_for_the_operator(store: Store) -> None:
    for name in ("ann", "bob"):
        await store.signups.ask("daily", SignUpRequest(email=f"{name}@example.org"), client="", now=NOW)
    for one in await store.signups.next_mails(Ceilings(), most=2, now=NOW):
        await store.signups.mail_sent(one.key, SignUpMail.CONFIRM, now=NOW)
    assert await store.signups.to_decide(limit=9) == []
    await store.signups.confirm(2, wants_latest=False, needs_approval=True, now=NOW)
    [waits] = await store.signups.to_decide(limit=9)
    assert waits.request.email == "bob@example.org"


async def test_how_quickly_relays_take_mail_is_read_from_the_last_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue_key = await freeze_for(store, 6)
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue_key, now=NOW, limit=6)
        for second, one in enumerate(claimed):
            at = NOW + timedelta(seconds=second)
            begun = Change(key=one.key, state=DeliveryState.SENDING, at=at, attempts=1)
            state, relay = (DEFERRED, "b:25") if second == 0 else (SENT, "b:25" if second == 1 else "a:25")
            await store.outbox.record([begun, begun._replace(state=state, relay=relay)])
    assert await store.oversight.relay_rates(now=NOW + timedelta(seconds=30)) == [
        RelayRate(relay="a:25", per_second=4 / 60),
        RelayRate(relay="b:25", per_second=1 / 60),
    ]
    assert await store.oversight.relay_rates(now=NOW + timedelta(minutes=2)) == []
    # Of many, the newest say it: the last four steps are of the last two seconds.
    monkeypatch.setattr("newsletter.store.oversight._MOST_STEPS", 4)
    [rate] = await store.oversight.relay_rates(now=NOW + timedelta(seconds=6))
    assert rate == RelayRate(relay="a:25", per_second=2 / 2)

"""Commands and ticks find what they need by indexes, whatever the number of readers and deliveries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

import psycopg
import pytest

from newsletter.core.delivery import DeliveryState, Uncertain, begun
from newsletter.core.newsletter_list import Cadence
from newsletter.ports import Place, Store, Suppression
from newsletter.store.engine import connect
from newsletter.store.sql import SqlStore
from tests.postgres import Server
from tests.store.many import DAYS, fill
from tests.store.plans import Plans, PostgresqlPlans, SqlitePlans
from tests.store.samples import DAY, HOUR, LIST, NOW, outcome

LARGE = {"deliveries", "delivery_events", "subscribers", "suppressions"}
READERS = 20_000
ISSUES = 4
LATER = NOW + ISSUES * DAYS


@pytest.fixture
async def planned(url: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Store, Plans]]:
    """A store with many deliveries in each engine, and what its statements go through from end to end."""
    await fill(url, readers=READERS, issues=ISSUES)
    if url.startswith("sqlite"):
        database = connect(url)
        scans: Plans = SqlitePlans(database).scans
    else:
        server: Server = request.getfixturevalue("postgres")
        database = connect(f"{url}&options={quote(PostgresqlPlans.OPTIONS)}")
        scans = PostgresqlPlans(server.folder / "log").scans
    store = SqlStore(database)
    yield store, scans
    await store.close()


async def looks(store: Store) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return what commands, pages and ticks ask of the ledger."""
    issues, outbox, suppressions, subscribers = store.issues, store.outbox, store.suppressions, store.subscribers
    newest = await issues.latest(LIST)
    assert newest is not None
    address = "reader77@d7.example.org"
    return {
        "status": lambda: issues.history(LIST, limit=20),
        "issues list": issues.history,
        "the issue of a day": lambda: issues.find(LIST, DAY),
        "the languages of readers": lambda: subscribers.languages(LIST, lambda _: True),
        "an outline": lambda: issues.outline(LIST),
        "what competed before": lambda: issues.competed(LIST, range(100)),
        "what was chosen": lambda: issues.chosen(newest.key, address),
        "deliveries list": lambda: outbox.records(limit=100),
        "deliveries list --date": lambda: outbox.records(list_name=LIST, day=DAY, limit=100),
        "deliveries list --state": lambda: outbox.records(states=[DeliveryState.UNCERTAIN], limit=100),
        "the report of a run": lambda: outbox.counts(newest.key),
        "suppressed in a run": lambda: outbox.suppressed_count(newest.key),
        "next due": lambda: outbox.next_due(newest.key),
        "open issues": outbox.open_issues,
        "open issues of a list": lambda: outbox.open_issues(LIST),
        "issues with deferred": lambda: outbox.issues_with(DeliveryState.DEFERRED),
        "dead workers": outbox.dead_workers,
        "whether an issue is halted": lambda: store.halts.of(newest.key),
        "numbers of a month": lambda: store.oversight.totals(DAY),
        "what hangs": lambda: store.oversight.deliveries([DeliveryState.DEFERRED], limit=50),
        "what hangs behind": lambda: store.oversight.deliveries(
            [DeliveryState.DEFERRED, DeliveryState.UNCERTAIN], after=Place(newest.key - 1, 2000), limit=50
        ),
        "what came back": lambda: store.oversight.came_back(NOW),
        "what became of mail": lambda: store.oversight.returned(NOW),
        "since when a delivery is due": lambda: store.oversight.oldest_due(newest.key, DeliveryState.QUEUED),
        "since when one is deferred": lambda: store.oversight.oldest_due(newest.key, DeliveryState.DEFERRED),
        "how lists grow": lambda: store.growth.since(DAY),
        "suppressions that begin so": lambda: suppressions.find(beginning="reader7", limit=50),
        "attempts": lambda: outbox.times(1, DeliveryState.SENT),
        "held domains": suppressions.held,
        "held on a list": lambda: suppressions.held_on(LIST),
        "suppressions list --held": lambda: suppressions.find(list_name=LIST, held=True),
        "anyone weekly": lambda: subscribers.anyone_wants(LIST, Cadence.WEEKLY),
        "a reader of a link": lambda: subscribers.by_key(77),
        "a reader of an address": lambda: subscribers.of_address(LIST, address),
    }


def changes(store: Store, issue_key: int) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return what commands, pages and ticks change in the ledger."""
    outbox, suppressions, subscribers = store.outbox, store.suppressions, store.subscribers
    address = "reader78@d8.example.org"

    async def deliver() -> None:
        async with outbox.worker() as worker:
            done, given_back = await outbox.claim(worker, now=LATER, limit=2, issue_key=issue_key)
            await outbox.record([begun(done, LATER), outcome(done, DeliveryState.SENT)])
            await outbox.release(worker, [given_back.key])

    async def recover() -> None:
        async with outbox.worker() as worker:
            [claimed] = await outbox.claim(worker, now=LATER, limit=1, issue_key=issue_key)
            await outbox.record([begun(claimed, LATER)])
        await outbox.recover(Uncertain.RESEND, now=LATER)

    gone = Suppression(address=address, list=None, reason="by the operator", since=LATER)
    return {
        "deliver": deliver,
        "recover": recover,
        "judge dead addresses": lambda: suppressions.judge(now=LATER),
        "leave": lambda: subscribers.suppress("reader79@d9.example.org", list_name=LIST, reason="", now=LATER),
        "suppressions add": lambda: suppressions.add([gone], now=LATER),
        "suppressions remove": lambda: suppressions.lift([address], list_name=None, now=LATER),
        "deliveries retry": lambda: outbox.hasten(issue_key - 1, now=LATER, states=[DeliveryState.DEFERRED]),
        "run --date": lambda: outbox.hasten(issue_key, now=LATER),
        "nothing late": lambda: outbox.withdraw_late(issue_key, due_before=NOW - HOUR, reason="", now=LATER),
        "late": lambda: outbox.withdraw_late(issue_key - 1, due_before=LATER + HOUR, reason="", now=LATER),
    }


async def test_nothing_that_is_asked_or_done_goes_through_all_readers_or_deliveries(
    planned: tuple[Store, Plans],
) -> None:
    store, scans = planned
    newest = await store.issues.latest(LIST)
    assert newest is not None
    found = {}
    for name, act in {**await looks(store), **changes(store, newest.key)}.items():
        scans(LARGE)
        await act()
        if which := scans(LARGE):
            found[name] = which

    assert found == {}


async def test_a_plan_that_goes_through_all_is_noticed(planned: tuple[Store, Plans]) -> None:
    store, scans = planned
    scans(LARGE)
    await store.suppressions.find()  # this is its answer

    assert len(scans(LARGE)) == 1


async def test_a_claim_looks_at_no_more_than_it_takes_of_many_that_the_database_does_not_know(
    postgres: Server, postgres_url: str
) -> None:
    await fill(postgres_url, readers=READERS, issues=1)
    store = SqlStore(connect(f"{postgres_url}&options={quote(PostgresqlPlans.OPTIONS)}"))
    newest = await store.issues.latest(LIST)
    assert newest is not None
    async with await psycopg.AsyncConnection.connect(postgres_url) as connection:
        await connection.execute(
            "DELETE FROM pg_statistic WHERE starelid IN ('deliveries'::regclass, 'subscribers'::regclass)"
        )
        await connection.execute(
            "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname IN ('deliveries', 'subscribers')"
        )
        await connection.execute(
            "UPDATE deliveries SET state = 'queued', claimed_by = NULL, ready_at = due_at, attempts = 0"
        )
    plans = PostgresqlPlans(postgres.folder / "log")

    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, now=LATER, limit=50, issue_key=newest.key)

    assert len(claimed) == 50
    assert 50 <= plans.most_rows() <= 100
    await store.close()

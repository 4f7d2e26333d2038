"""What an operator says of an issue: pause it, let it go on, or cancel it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.halt import Halt, HaltState, Order
from newsletter.core.steps import OPEN
from newsletter.ports import IssueSummary, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """What an order came to: the issue as it stands now, and how many deliveries were withdrawn by the order."""

    issue: IssueSummary
    state: HaltState
    withdrawn: int

    @property
    def waiting(self) -> int:
        """Return how many deliveries are still to be made, those in flight included."""
        return sum(self.issue.deliveries.get(state, 0) for state in OPEN)


async def obey(
    store: Store, list_name: str, day: date | None, order: Order, *, now: datetime, most: int | None = None
) -> Halted:
    """Do what the operator says of an issue. It counts at once, for processes too that are delivering the issue.

    What was deferred is due at once when an issue goes on. What is cancelled is withdrawn here. What a process
    holds it withdraws itself, within seconds; what is left for any other reason, the next run or tick withdraws.

    Args:
        store: the ledger.
        list_name: the list's, or that of a weekly edition.
        day: the issue's; None: the newest.
        order: what the operator says.
        now: the present moment, aware.
        most: how many deliveries to withdraw here at most; None: all.

    Raises:
        UsageError: there is no such issue, or it is cancelled already.
    """
    outline = await store.issues.outline(list_name, day)
    if outline is None:
        of_day = f" of {day}" if day else ""
        raise UsageError(f"list {list_name!r} has no issue{of_day}: see `newsletter issues list`")
    try:
        state = await store.halts.obey(outline.key, order, now=now)
    except UsageError as error:
        raise UsageError(f"{list_name} {outline.day}: {error}") from None
    if order is Order.RESUME:  # they were not tried meanwhile: their time to be given up begins anew
        await store.outbox.hasten(outline.key, now=now, states=[DeliveryState.DEFERRED])
    withdrawn = 0
    if state.halt is Halt.CANCELLED:
        withdrawn = await store.halts.withdraw(outline.key, now=now, most=most)
    issue = (await store.issues.summaries([outline.key]))[outline.key]
    return Halted(issue=issue, state=state, withdrawn=withdrawn)

"""What operators do on their pages: each is a POST, and ends on a page that says what was done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.halt import Order
from newsletter.operations.halting import obey
from newsletter.operations.operate import Decision, decide, release, retry
from newsletter.readers.signup import ClosedForNowError, Joined
from newsletter.web.admin import pages
from newsletter.web.admin.access import MAX_BODY_BYTES, Handler
from newsletter.web.admin.desk import Desk, go_to
from newsletter.web.pages.forms import Form, read_body

# So many are withdrawn before the page answers; of a larger issue the next tick withdraws the rest.
_WITHDRAWN_AT_ONCE = 2000
_ORDERED = {Order.PAUSE: "paused", Order.RESUME: "resumed", Order.CANCEL: "cancelled"}
_DECIDED = {
    Decision.RETRY: "due",
    Decision.GIVE_UP: "given-up",
    Decision.AGAIN: "queued",
    Decision.AS_SENT: "sent",
}
_UNKNOWN = "The form was not complete. Nothing was changed."


def handlers(desk: Desk) -> Mapping[str, Handler]:
    """Return what answers POST, by paths below the operator's first page."""
    made = {
        "issues/{list_name}/{day}/": order,
        "deliveries/": decide_on_delivery,
        "deliveries/all": all_deliveries,
        "readers/": decide_on_reader,
        "suppressions/": lift,
        "sources/": collect,
    }
    return {path: partial(handler, desk) for path, handler in made.items()}


async def order(desk: Desk, request: Request) -> Response:
    """Pause, resume or cancel an issue, or bring what hangs of it on its way."""
    action = (await _form(request)).one("action")
    _, issue = await pages.find_issue(desk, request)
    path, now, outbox = f"issues/{issue.list}/{issue.day}/", desk.clock(), desk.store.outbox
    match action:
        case "retry":
            count = await retry(outbox, list_name=issue.list, day=issue.day, now=now)
            return go_to(request, path, "due", count)
        case "release" | "as-sent":
            as_sent = action == "as-sent"
            count = await release(outbox, as_sent=as_sent, list_name=issue.list, day=issue.day, now=now)
            return go_to(request, path, "sent" if as_sent else "queued", count)
        case "pause" | "resume" | "cancel":
            try:
                halted = await obey(
                    desk.store, issue.list, issue.day, Order(action), now=now, most=_WITHDRAWN_AT_ONCE
                )
            except UsageError as error:
                return await pages.issue_page(desk, request, problem=f"{error}. Nothing was changed.")
            return go_to(request, path, _ORDERED[Order(action)], halted.withdrawn)
        case _:
            return await pages.issue_page(desk, request, problem=_UNKNOWN)


async def decide_on_delivery(desk: Desk, request: Request) -> Response:
    """Do what was decided about one delivery."""
    form = await _form(request)
    place, wanted = pages.read_place(form.one("place")), form.one("decision")
    if place is None or wanted not in set(Decision):
        return go_to(request, "deliveries/", "late")
    decision, store = Decision(wanted), desk.store
    was_done = await decide(store.outbox, store.oversight, place, decision, now=desk.clock())
    return go_to(request, "deliveries/", _DECIDED[decision] if was_done else "late", 1 if was_done else None)


async def all_deliveries(desk: Desk, request: Request) -> Response:
    """Retry all that is deferred, or decide on all that is uncertain, of all issues."""
    action, outbox, now = (await _form(request)).one("action"), desk.store.outbox, desk.clock()
    if action == "retry":
        count = await retry(outbox, list_name=None, day=None, now=now)
        return go_to(request, f"deliveries/?state={DeliveryState.DEFERRED}", "due", count)
    if action in {"release", "as-sent"}:
        as_sent = action == "as-sent"
        count = await release(outbox, as_sent=as_sent, list_name=None, day=None, now=now)
        return go_to(request, "deliveries/", "sent" if as_sent else "queued", count)
    return go_to(request, "deliveries/", "late")


async def decide_on_reader(desk: Desk, request: Request) -> Response:
    """Accept or decline somebody who signed up."""
    form = await _form(request)
    key, decision = form.number("key"), form.one("decision")
    if key is None or decision not in {"accept", "decline"}:
        return await pages.readers(desk, request, problem=_UNKNOWN)
    try:
        asked = await desk.signing_up.waiting_one(key)
    except ClosedForNowError as error:
        return await pages.readers(desk, request, problem=f"Nothing was changed: {error}.")
    accepted = decision == "accept"
    joined = asked and await desk.signing_up.decide(asked, accepted=accepted, now=desk.clock())
    if joined is None:
        return go_to(request, "readers/", "decided")
    if joined is Joined.STAYS_OUT:
        return go_to(request, "readers/", "stays-out")
    return go_to(request, "readers/", "accepted" if accepted else "declined")


async def lift(desk: Desk, request: Request) -> Response:
    """Let an address get mail again."""
    form = await _form(request)
    address, list_name = form.one("address"), form.one("list") or None
    try:
        await desk.store.suppressions.lift([address], list_name=list_name, now=desk.clock())
    except UsageError as error:
        return await pages.suppressions(desk, request, problem=f"{error}.")
    return go_to(request, "suppressions/", "mailed-again")


async def collect(desk: Desk, request: Request) -> Response:
    """Have the sources read, in the background."""
    desk.collect()
    return go_to(request, "sources/", "collecting")


async def _form(request: Request) -> Form:
    return Form.read(await read_body(request, MAX_BODY_BYTES), most=20)

"""The operator's pages as they are read. None of them changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.core.address import address_key
from newsletter.core.delivery import DeliveryState
from newsletter.core.suppression import SuppressedBy
from newsletter.core.text import counted
from newsletter.operations.doctor.kept import kept
from newsletter.operations.overview import GROWTH, MONTH, home_timezone
from newsletter.operations.status import slow_downs_for_operators
from newsletter.ports import IssueSummary, Place, Suppression
from newsletter.web.admin import views
from newsletter.web.admin.access import Handler
from newsletter.web.admin.desk import Desk, day_of
from newsletter.web.admin.views import Moments
from newsletter.web.admin.workers import delivering, workers

TROUBLED = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.REFUSED)
_ISSUES, _DELIVERIES, _SUPPRESSIONS, _ALARMS, _APPROVALS = 100, 50, 50, 50, 100
_TROUBLED_LOOKED_AT = 2000
_LONGEST_QUERY = 320
_MOST_DIGITS = 18
_NEVER = datetime.min.replace(tzinfo=UTC)
_WORDS = {
    SuppressedBy.READER: "by the reader's own word",
    SuppressedBy.OPERATOR: "by the operator's word",
    SuppressedBy.RELAY: "by what a relay said",
    SuppressedBy.INBOUND: "by what came back",
}


def handlers(desk: Desk) -> Mapping[str, Handler]:
    """Return what answers GET, by paths below the operator's first page."""
    issue = "issues/{list_name}/{day}/"
    made = {
        "": overview,
        "issues/": issues,
        issue: issue_page,
        f"{issue}state": issue_state,
        "deliveries/": deliveries,
        "readers/": readers,
        "suppressions/": suppressions,
        "sources/": sources,
        "workers/": workers,
        "errors/": errors,
    }
    return {path: partial(handler, desk) for path, handler in made.items()}


async def overview(desk: Desk, request: Request) -> Response:
    """Show what is stuck and what goes on."""
    now = desk.clock()
    found = await desk.overseer.overview(now)
    moments = Moments(found.timezone, now)
    values = {
        "troubles": found.troubles,
        "next_due": views.next_due(found.next_due, now),
        "growth": views.growth(found.grown, now),
        "delivered": views.delivered(found.delivered),
        "complaints": views.complaints(found.complaints, found.delivered),
        "issues": [{**views.issue_row(one), "live": views.is_going_out(one)} for one in found.issues],
        "issue_count": found.issue_count,
        "stuck": [views.delivery_row(one, moments) for one in found.stuck],
        "counts": found.counts,
        "sources": [views.source_row(one, moments) for one in found.sources],
        "returned": views.returned_rows(found.came_back, 5),
        "returned_count": sum(one.number for one in found.came_back),
        "approvals": found.approvals,
        **delivering(found.cluster, desk.overseer.relays, found.troubled_relays, moments),
        "examination": views.examination(await asyncio.to_thread(kept, desk.examination), moments),
        "timezone": found.timezone,
    }
    return desk.page(request, "overview", values)


async def issues(desk: Desk, request: Request) -> Response:
    """Show the last issues of all lists."""
    found = await desk.store.issues.history(limit=_ISSUES)
    values = {
        "issues": [{**views.issue_row(one), "live": views.is_going_out(one)} for one in found],
        "count": await desk.store.issues.count(),
        "shown": len(found),
    }
    return desk.page(request, "issues", values)


async def issue_page(desk: Desk, request: Request, *, problem: str = "") -> Response:
    """Show one issue, and what can be done about it."""
    key, issue = await find_issue(desk, request)
    moments = Moments(issue.timezone, desk.clock())
    troubled = await desk.store.oversight.deliveries(TROUBLED, issue_key=key, limit=_TROUBLED_LOOKED_AT)
    due = await desk.store.outbox.next_due(key)
    values = {
        **_state_values(issue),
        "listings": counted(issue.listings, "paper"),
        "closed": moments(issue.frozen_at),
        "halted": moments(issue.halted_at),
        "halt": issue.halt,
        "next_due": moments(due),
        "timezone": issue.timezone,
        "actions": views.issue_actions(issue),
        "domains": views.domain_rows(troubled),
        "is_cut": len(troubled) == _TROUBLED_LOOKED_AT,
        "troubled": [views.delivery_row(one, moments) for one in troubled[:_DELIVERIES]],
        "web_path": f"{issue.list}/{issue.day}/",
    }
    return desk.page(request, "issue", values, problem=problem, status=409 if problem else 200)


async def issue_state(desk: Desk, request: Request) -> Response:
    """Return the part of an issue's page that changes while it goes out, for the script that asks for it."""
    _, issue = await find_issue(desk, request)
    return desk.page(request, "_issue_state", _state_values(issue))


def _state_values(issue: IssueSummary) -> dict[str, Any]:
    counts = [(state.value, f"{number:,}") for state, number in issue.deliveries.items() if number]
    return {"row": views.issue_row(issue), "states": counts, "live": views.is_going_out(issue)}


async def find_issue(desk: Desk, request: Request) -> tuple[int, IssueSummary]:
    """Return the number and the summary of the issue in a page's path.

    Raises:
        HTTPException: 404: there is none.
    """
    outline = await desk.store.issues.outline(request.path_params["list_name"], day_of(request))
    if outline is None:
        raise HTTPException(404)
    return outline.key, (await desk.store.issues.summaries([outline.key]))[outline.key]


async def deliveries(desk: Desk, request: Request) -> Response:
    """Show what is stuck, page by page."""
    chosen = request.query_params.get("state", "")
    states = [state for state in TROUBLED if state == chosen] or list(TROUBLED[:2])
    after = read_place(request.query_params.get("after", ""))
    found = await desk.store.oversight.deliveries(states, after=after, limit=_DELIVERIES + 1)
    shown = found[:_DELIVERIES]
    more = f"{shown[-1].place.issue_key}-{shown[-1].place.key}" if len(found) > len(shown) else ""
    moments = Moments(await _timezone(desk), desk.clock())
    values = {
        "chosen": chosen if len(states) == 1 else "",
        "counts": [(state.value, await desk.store.outbox.count(states=[state])) for state in TROUBLED[:2]],
        "rows": [views.delivery_row(one, moments) for one in shown],
        "more": more,
        "is_first": after is None,
        "timezone": moments.timezone,
    }
    return desk.page(request, "deliveries", values)


def read_place(text: str) -> Place | None:
    """Return the place of a delivery as addresses and forms name it, such as `12-3456`; None: it is none."""
    issue, _, key = text.partition("-")
    is_number = all(part.isascii() and part.isdigit() and len(part) <= _MOST_DIGITS for part in (issue, key))
    return Place(int(issue), int(key)) if is_number else None


async def readers(desk: Desk, request: Request, *, problem: str = "") -> Response:
    """Show how lists grow, who waits for a decision, and what came back."""
    now, store = desk.clock(), desk.store
    loaded = await asyncio.to_thread(desk.overseer.lists.read)
    since = (now - GROWTH).date()
    by_list = {name: await store.growth.since(since, list_name=name) for name in loaded.names}
    came_back = await store.oversight.came_back(now - MONTH)
    moments = Moments(home_timezone(loaded), now)
    refused = (await store.oversight.totals((now - MONTH).date()))[DeliveryState.REFUSED]
    values = {
        "growth": views.growth(await store.growth.since(since), now),
        "lists": [{"name": name, **views.growth(grown, now)} for name, grown in by_list.items() if grown.days],
        "waiting": [
            {
                "key": asked.signup.key,
                "email": asked.signup.request.email,
                "name": asked.signup.request.name,
                "list": asked.list.name,
                "topics": ", ".join(asked.signup.request.topics),
                "confirmed": moments(asked.signup.confirmed_at),
            }
            for asked in await desk.signing_up.waiting(limit=_APPROVALS)
        ],
        "returned": views.returned_rows(came_back),
        "returned_count": sum(one.number for one in came_back),
        "refused": counted(refused, "mail was", "mails were"),
        "funnels": await store.signups.funnels(since=(now - MONTH).date()),
    }
    return desk.page(request, "readers", values, problem=problem, status=409 if problem else 200)


async def suppressions(desk: Desk, request: Request, *, problem: str = "") -> Response:
    """Show addresses that are never mailed, by their beginning, page by page."""
    query = request.query_params.get("q", "").strip()[:_LONGEST_QUERY]
    store, now = desk.store.suppressions, desk.clock()
    after = _after(request)
    found = await store.find(
        beginning=address_key(query) if "@" in query[1:] else query.lower(),
        after=after,
        limit=_SUPPRESSIONS + 1,
    )
    shown = found[:_SUPPRESSIONS]
    moments = Moments(await _timezone(desk), now)
    more = _after_words(shown[-1]) if len(found) > len(shown) else ""
    values = {
        "query": query,
        "rows": [
            {
                "address": one.address,
                "list": one.list or "",
                "where": one.list or "all lists",
                "reason": one.reason,
                "evidence": one.evidence,
                "by": _WORDS[one.by],
                "since": moments(one.since),
                "held": one.held,
            }
            for one in shown
        ],
        "number": await store.number(),
        "more": f"q={quote(query)}&{more}" if more else "",
        "is_first": after is None,
        "held_domains": await store.held(),
    }
    return desk.page(request, "suppressions", values, problem=problem, status=409 if problem else 200)


def _after_words(one: Suppression) -> str:
    held = "&held=1" if one.held else ""
    return f"after={quote(one.address)}&on={quote(one.list or '')}{held}"


def _after(request: Request) -> Suppression | None:
    """Return behind which suppression the page begins; only its address, list and kind count."""
    asked = request.query_params
    if "after" not in asked:
        return None
    return Suppression(
        address=asked["after"][:_LONGEST_QUERY],
        list=asked.get("on") or None,
        reason="",
        since=_NEVER,
        held="held" in asked,
    )


async def sources(desk: Desk, request: Request) -> Response:
    """Show how sources do, and how many papers their days held."""
    now = desk.clock()
    loaded = await asyncio.to_thread(desk.overseer.lists.read)
    moments = Moments(home_timezone(loaded), now)
    found = await desk.overseer.sources(loaded, now)
    values = {"sources": [views.source_row(one, moments) for one in found], "timezone": moments.timezone}
    return desk.page(request, "sources", values)


async def errors(desk: Desk, request: Request) -> Response:
    """Show what is wrong: list files with their lines, alarms that have rung, relays and domains in trouble."""
    now = desk.clock()
    loaded = await asyncio.to_thread(desk.overseer.lists.read)
    moments = Moments(home_timezone(loaded), now)
    slow_downs = await slow_downs_for_operators(desk.store, desk.overseer.quotas, now=now)
    values = {
        "mistakes": [str(mistake) for error in loaded.wrong.values() for mistake in error.mistakes],
        "held_files": await desk.overseer.held_files(loaded),
        "slow_downs": [
            {
                "kind": one.kind.value,
                "name": one.name,
                "reason": one.reason,
                "since": moments(one.since),
                "until": moments(one.until),
            }
            for one in slow_downs
        ],
        "alarms": [views.alarm_row(one, moments) for one in await desk.store.alarms.newest(limit=_ALARMS)],
        "timezone": moments.timezone,
    }
    return desk.page(request, "errors", values)


async def _timezone(desk: Desk) -> str:
    return home_timezone(await asyncio.to_thread(desk.overseer.lists.read))

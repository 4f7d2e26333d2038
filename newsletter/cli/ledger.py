"""`issues` and `status`: what went out, and what hangs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.hindrances import find_hindrances, show_hindrances
from newsletter.cli.output import say, say_json, table
from newsletter.cli.session import AsJson, Day, ListName, OneList, now, within
from newsletter.core.calendar import next_slot, opening
from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.errors import UsageError

if TYPE_CHECKING:
    from datetime import date, datetime

    from newsletter.bootstrap import Program
    from newsletter.core.issue import Issue, IssueListing
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.ports import HeldDomain, Hindrance, IssueSummary

issues_group = typer.Typer(no_args_is_help=True, help="What went out.")

_PANEL = "What went out"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(issues_group, name="issues", rich_help_panel=_PANEL)
    app.command(rich_help_panel=_PANEL)(status)


@issues_group.command("list")
def list_issues(
    *, list_name: ListName = None, limit: Annotated[int, typer.Option(min=1)] = 50, as_json: AsJson = False
) -> None:
    """List the newest issues first, with the state of their deliveries."""
    summaries = within(lambda program: program.store.issues.history(list_name, limit=limit))
    if as_json:
        say_json([_summary_json(summary) for summary in summaries])
        return
    table(
        ("list", "day", "no.", "papers", "deliveries", "subject"),
        ((one.list, one.day, one.number, one.listings, _states(one.deliveries), one.subject) for one in summaries),
    )


@issues_group.command("show")
def show_issue(*, list_name: OneList, date: Day = None, as_json: AsJson = False) -> None:
    """Show one issue with all its papers as they were frozen; without --date the newest."""
    issue = within(lambda program: _find_issue(program, list_name, date))
    if as_json:
        say_json(_issue_json(issue))
        return
    say(f"{issue.list} {issue.day}, issue {issue.number}: {issue.subject}")
    table(
        ("rank", "paper", "id", "why"),
        ((one.rank, one.listing.title, one.listing.id, ", ".join(one.reasons)) for one in issue.listings),
    )


@issues_group.command("accept-restored")
def accept_restored(*, as_json: AsJson = False) -> None:
    """Go on with a database that is an older copy: what it does not know to be sent is sent again."""
    was_older = within(lambda program: program.pipeline.mark.accept())
    if as_json:
        say_json({"accepted": was_older})
    else:
        say("the older copy is the database from now on" if was_older else "the database is no older copy")


async def _find_issue(program: Program, list_name: str, day: date | None) -> Issue:
    store = program.store.issues
    issue = await (store.find(list_name, day) if day else store.latest(list_name))
    if issue is None:
        raise UsageError(
            f"list {list_name!r} has no issue{f' of {day}' if day else ''}: see `newsletter issues list`"
        )
    return issue


def status(*, as_json: AsJson = False) -> None:
    """Show what is due, sent and stuck, list by list, and what holds mail up."""
    rows, hindrances, held = within(_status)
    if as_json:
        say_json(rows)
        return
    table(
        ("list", "newest issue", "deliveries", "stuck", "next issue"),
        (
            (row["list"], row["issue"] or "none yet", _states(row["deliveries"]), row["stuck"] or "-", row["next"])
            for row in rows
        ),
    )
    for row in rows:
        if row["waits_until"]:
            say(f"\nMail of {row['list']} waits until {row['waits_until']}: the list has hours.")
    for one in held:
        say(
            f"\n{one.addresses} addresses of {one.domain} are held; it called them dead on {one.since:%F} UTC: "
            f"{one.reason}. The next issue asks again; see `newsletter suppressions list --held`."
        )
    if hindrances:
        say("")
        show_hindrances(hindrances)


async def _status(program: Program) -> tuple[list[dict[str, Any]], list[Hindrance], list[HeldDomain]]:
    rows, moment = [], now()
    for name, file in program.lists.load().items():
        history = await program.store.issues.history(name, limit=20)
        newest = history[0] if history else None
        slot = next_slot(file.list, moment)
        stuck = {DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.SENDING}
        rows.append(
            {
                "list": name,
                "issue": newest.day.isoformat() if newest else None,
                "subject": newest.subject if newest else None,
                "deliveries": _counted(newest.deliveries) if newest else {},
                "waits_until": _waits_until(file.list, newest, moment),
                "stuck": sum(
                    count for one in history for state, count in one.deliveries.items() if state in stuck
                ),
                "next": slot.at.isoformat() if slot else None,
                "subscribers": len(file.subscribers),
                "held": await program.store.suppressions.held_on(name),
            }
        )
    return rows, await find_hindrances(program), await program.store.suppressions.held()


def _waits_until(list_: NewsletterList, newest: IssueSummary | None, moment: datetime) -> str | None:
    """Return when the hours of a list begin for which deliveries of its newest issue wait."""
    opens = opening(list_, moment)
    if newest is None or opens <= moment or not any(newest.deliveries.get(state) for state in WAITING):
        return None
    return opens.isoformat()


def _counted(counts: Mapping[DeliveryState, int]) -> dict[str, int]:
    return {state.value: count for state, count in counts.items() if count}


def _states(counts: Any) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "-"


def _summary_json(summary: IssueSummary) -> dict[str, Any]:
    values = asdict(summary)
    values["deliveries"] = _counted(summary.deliveries)
    return values


def _issue_json(issue: Issue) -> dict[str, Any]:
    return {
        "list": issue.list,
        "day": issue.day.isoformat(),
        "number": issue.number,
        "subject": issue.subject,
        "frozen_at": issue.frozen_at.isoformat(),
        "new": issue.candidates,
        "listings": [_listing_json(one) for one in issue.listings],
    }


def _listing_json(one: IssueListing) -> dict[str, Any]:
    return {
        "id": str(one.listing.id),
        "rank": one.rank,
        "score": one.score,
        "reasons": list(one.reasons),
        "listed_on": one.listed_on.isoformat(),
        "upvotes": one.upvotes,
        "comments": one.comments,
        "stars": one.stars,
        "n_authors": one.listing.n_authors,
        **asdict(one.listing),
    }

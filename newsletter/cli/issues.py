"""`issues`: what went out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.output import say, say_json, table
from newsletter.cli.session import AsJson, Day, ListName, OneList, within
from newsletter.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.core.delivery import DeliveryState
    from newsletter.core.issue import Issue, IssueListing
    from newsletter.ports import IssueSummary

group = typer.Typer(cls=Group, no_args_is_help=True, help="What went out.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="issues")


@group.command("list")
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
        (
            (issue.list, issue.day, issue.number, issue.listings, states_in_words(issue.deliveries), issue.subject)
            for issue in summaries
        ),
    )


@group.command("show")
def show_issue(*, list_name: OneList, date: Day = None, as_json: AsJson = False) -> None:
    """Show one issue with all its papers as they were frozen; without --date the newest."""
    issue = within(lambda program: _find_issue(program, list_name, date))
    if as_json:
        say_json(_issue_json(issue))
        return
    say(f"{issue.list} {issue.day}, issue {issue.number}: {issue.subject}")
    table(
        ("rank", "paper", "id", "why"),
        ((item.rank, item.listing.title, item.listing.id, ", ".join(item.reasons)) for item in issue.listings),
    )


@group.command("accept-restored")
def accept_restored(*, as_json: AsJson = False) -> None:
    """Go on with a database that is an older copy: what it does not know to be sent is sent again."""
    was_older = within(lambda program: program.mark.accept())
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


def counted_states(counts: Mapping[DeliveryState, int]) -> dict[str, int]:
    """Return the states in which there are deliveries, with their counts."""
    return {state.value: count for state, count in counts.items() if count}


def states_in_words(counts: Mapping[DeliveryState, int]) -> str:
    """Return the same as words: `3 sent, 1 deferred`."""
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "-"


def _summary_json(summary: IssueSummary) -> dict[str, Any]:
    values = asdict(summary)
    values["deliveries"] = counted_states(summary.deliveries)
    return values


def _issue_json(issue: Issue) -> dict[str, Any]:
    return {
        "list": issue.list,
        "day": issue.day.isoformat(),
        "number": issue.number,
        "subject": issue.subject,
        "frozen_at": issue.frozen_at.isoformat(),
        "new": issue.candidates,
        "listings": [_listing_json(item) for item in issue.listings],
    }


def _listing_json(item: IssueListing) -> dict[str, Any]:
    return {
        "id": str(item.listing.id),
        "rank": item.rank,
        "score": item.score,
        "reasons": list(item.reasons),
        "listed_on": item.listed_on.isoformat(),
        "upvotes": item.upvotes,
        "comments": item.comments,
        "stars": item.stars,
        "n_authors": item.listing.n_authors,
        **asdict(item.listing),
    }

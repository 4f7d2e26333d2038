"""`issues`: what went out, and the operator's word on what is going out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.moments import AssumeSentUntil, Clocks
from newsletter.cli.output import say, say_json, say_left_out, table
from newsletter.cli.session import AsJson, Day, Limit, ListName, OneList, check_list, looking, now, within
from newsletter.core.errors import UsageError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.core.delivery import DeliveryState
    from newsletter.core.halt import Order
    from newsletter.core.issue import Issue, IssueListing
    from newsletter.operations.halting import Halted
    from newsletter.ports import IssueSummary

group = typer.Typer(cls=Group, no_args_is_help=True, help="What went out, and a word on what goes out.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="issues")


@group.command("list")
def list_issues(*, list_name: ListName = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the newest issues first, with the state of their deliveries."""
    summaries, total = looking(lambda program: _history(program, list_name, limit))
    if as_json:
        say_json([_summary_json(summary) for summary in summaries])
    else:
        _show(summaries)
    say_left_out(len(summaries), total, "issues", is_result=not as_json)


async def _history(program: Program, list_name: str | None, limit: int) -> tuple[list[IssueSummary], int]:
    """Return the issues that are shown, and how many there are.

    Raises:
        UsageError: there is no such list, and no issue of it.
    """
    summaries = await program.store.issues.history(list_name, limit=limit)
    if not summaries:
        await check_list(program, list_name)
    return summaries, await program.store.issues.count(list_name)


def _show(summaries: Sequence[IssueSummary]) -> None:
    if not summaries:
        say("no issues yet")
        return
    clocks = Clocks((issue.timezone for issue in summaries), below=sys.stdout.isatty())
    table(
        ("list", "day", "no.", clocks.heading("closed"), "papers", "deliveries", "subject"),
        (
            (
                issue.list,
                issue.day,
                issue.number,
                clocks.shown(issue.frozen_at, issue.timezone),
                issue.listings,
                _deliveries_in_words(issue),
                issue.subject,
            )
            for issue in summaries
        ),
        folds={"deliveries", "subject"},
    )
    if clocks.note:
        say(clocks.note)


@group.command("show")
def show_issue(*, list_name: OneList, date: Day = None, as_json: AsJson = False) -> None:
    """Show one issue with all its papers as they were frozen; without --date the newest."""
    issue = looking(lambda program: _find_issue(program, list_name, date))
    if as_json:
        say_json(_issue_json(issue))
        return
    say(f"{issue.list} {issue.day}, issue {issue.number}: {issue.subject}")
    table(
        ("rank", "id", "paper", "why"),
        ((item.rank, item.listing.id, item.listing.title, ", ".join(_why(item))) for item in issue.listings),
        folds={"paper", "why"},
    )


@group.command()
def pause(*, list_name: OneList, date: Day = None, as_json: AsJson = False) -> None:
    """Send no more of an issue until it is resumed; without --date of the newest. What is in flight ends."""
    _order("pause", list_name, date, as_json=as_json)


@group.command()
def resume(*, list_name: OneList, date: Day = None, as_json: AsJson = False) -> None:
    """Go on with an issue that is paused; workers, the next `run` or the scheduler send it."""
    _order("resume", list_name, date, as_json=as_json)


@group.command()
def cancel(*, list_name: OneList, date: Day = None, as_json: AsJson = False) -> None:
    """Send no more of an issue, for good: who did not get it finds its papers in the next one."""
    _order("cancel", list_name, date, as_json=as_json)


@group.command("accept-restored")
def accept_restored(*, assume_sent_until: AssumeSentUntil = None, as_json: AsJson = False) -> None:
    """Go on with a database that is an older copy, or new: what it does not know to be sent is sent again.

    With --assume-sent-until it is not: no reader gets anything twice, and some may miss an issue.
    """
    from newsletter.composition import restoring

    accepted = within(lambda program: restoring.accept_older(program, assume_sent_until, now=now()))
    if as_json:
        say_json({"accepted": accepted is not None})
    elif accepted is None:
        say("the database is the ledger that was used last: there is nothing to accept")
    else:
        said = f"; {counted(accepted, 'delivery', 'deliveries')} that were open count as sent" if accepted else ""
        say(f"this database is the ledger from now on{said}")


async def _find_issue(program: Program, list_name: str, day: date | None) -> Issue:
    store = program.store.issues
    issue = await (store.find(list_name, day) if day else store.latest(list_name))
    if issue is None:
        await check_list(program, list_name)
        raise UsageError(
            f"list {list_name!r} has no issue{f' of {day}' if day else ''}: see `newsletter issues list`"
        )
    return issue


def _order(word: str, list_name: str, day: date | None, *, as_json: bool) -> None:
    from newsletter.core.halt import Order

    halted = within(lambda program: _obey(program, list_name, day, Order(word)))
    issue = halted.issue
    if as_json:
        say_json({**_summary_json(issue), "withdrawn": halted.withdrawn})
        return
    said = _halt_in_words(halted)
    say(f"{issue.list} {issue.day}, issue {issue.number}: {said}; {states_in_words(issue.deliveries)}")


async def _obey(program: Program, list_name: str, day: date | None, order: Order) -> Halted:
    from newsletter.operations.halting import obey

    if await program.store.issues.outline(list_name, day) is None:
        await check_list(program, list_name)
    return await obey(program.store, list_name, day, order, now=now())


def _halt_in_words(halted: Halted) -> str:
    """Return what became of an issue, and what follows for what waits of it."""
    from newsletter.core.halt import Halt

    if halted.state.halt is None:
        return (
            "goes out; workers, the next `newsletter run` or the scheduler send it"
            if halted.waiting
            else "goes out"
        )
    if halted.state.halt is Halt.PAUSED:
        return "paused"
    held = f", {halted.waiting:,} more by the process that holds them" if halted.waiting else ""
    return f"cancelled: {halted.withdrawn:,} withdrawn{held}"


def counted_states(counts: Mapping[DeliveryState, int]) -> dict[str, int]:
    """Return the states in which there are deliveries, with their counts."""
    return {state.value: count for state, count in counts.items() if count}


def states_in_words(counts: Mapping[DeliveryState, int]) -> str:
    """Return the same as words: `1,203 sent, 1 deferred`."""
    return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "-"


def _deliveries_in_words(issue: IssueSummary) -> str:
    halt = f"{issue.halt}: " if issue.halt else ""
    return halt + states_in_words(issue.deliveries)


def _summary_json(summary: IssueSummary) -> dict[str, Any]:
    values = asdict(summary)
    values["deliveries"] = counted_states(summary.deliveries)
    del values["timezone"]
    return values


def _issue_json(issue: Issue) -> dict[str, Any]:
    return {
        "list": issue.list,
        "day": issue.day,
        "number": issue.number,
        "subject": issue.subject,
        "frozen_at": issue.frozen_at,
        "new": issue.candidates,
        "listings": [_listing_json(item) for item in issue.listings],
    }


def _why(item: IssueListing) -> tuple[str, ...]:
    return (*item.reasons, "for readers who missed it") if item.again else item.reasons


def _listing_json(item: IssueListing) -> dict[str, Any]:
    return {
        "id": str(item.listing.id),
        "rank": item.rank,
        "score": item.score,
        "reasons": list(_why(item)),
        "listed_on": item.listed_on,
        "upvotes": item.upvotes,
        "comments": item.comments,
        "stars": item.stars,
        "n_authors": item.listing.n_authors,
        **asdict(item.listing),
    }

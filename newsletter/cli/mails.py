"""`render`, `send` and `lint`: one message of an issue, to look at before it goes out."""

from __future__ import annotations

import sys
from email import message_from_bytes
from email.policy import default
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.exits import Exit
from newsletter.cli.output import say, say_json, waiting
from newsletter.cli.session import AsJson, Day, ListName, OneList, chosen, within
from newsletter.core.errors import NothingNewError, UsageError
from newsletter.lists.addresses import Addresses
from newsletter.render.lint import Finding, Level, dead_links, lint

if TYPE_CHECKING:
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.core.delivery import Outcome

_PANEL = "Looking before it goes out"


class Format(StrEnum):
    """What of a message is written."""

    HTML = "html"
    TEXT = "text"
    EML = "eml"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=_PANEL)(render)
    app.command(rich_help_panel=_PANEL)(send)
    app.command("lint", rich_help_panel=_PANEL)(lint_issues)


def render(
    *,
    list_name: OneList,
    date: Day = None,
    subscriber: Annotated[str | None, typer.Option(metavar="ADDRESS", help="As this reader gets it.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.HTML,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else stdout.")
    ] = None,
) -> None:
    """Write one message of an issue to a file: the frozen one, or what it would be now."""
    content = _part(within(lambda program: _raw(program, list_name, date, subscriber)), format_)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from None


async def _raw(program: Program, list_name: str, day: date | None, address: str | None) -> bytes:
    issue, file = await program.studio.issue(list_name, day)
    return await program.studio.raw(issue, file, address)


def _part(raw: bytes, format_: Format) -> bytes:
    if format_ is Format.EML:
        return raw
    body = message_from_bytes(raw, policy=default).get_body(("html" if format_ is Format.HTML else "plain",))
    return body.get_content().encode() if body is not None else b""


def send(
    *,
    list_name: OneList,
    date: Day = None,
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Who gets the test copy.")],
    as_json: AsJson = False,
) -> None:
    """Send a test copy of an issue to one address; the ledger is left alone."""
    try:
        to = Addresses().read(to.strip())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--to'") from None
    outcome = within(lambda program: _send(program, list_name, date, to))
    if as_json:
        say_json({"to": to, "state": outcome.state.value, "relay": outcome.relay, "answer": outcome.text})
    else:
        say(f"{to}: {outcome.state.value} by {outcome.relay} ({outcome.code} {outcome.text})")
    raise typer.Exit(Exit.DONE if outcome.code is not None and outcome.code < 400 else Exit.TEMPORARY)  # noqa: PLR2004


async def _send(program: Program, list_name: str, day: date | None, address: str) -> Outcome:
    issue, file = await program.studio.issue(list_name, day)
    return await program.studio.send(issue, file, address)


def lint_issues(
    *,
    list_name: ListName = None,
    date: Day = None,
    links: Annotated[
        bool, typer.Option("--links", help="Ask for every link too, and name those of plain HTTP.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check size, links, accessibility and deliverability of an issue; exit 1 on a failure."""
    results, nothing = within(lambda program: _lint_all(program, list_name, date, links=links))
    for name, reason in nothing.items():
        if as_json:
            say_json({"list": name, "findings": [], "reason": reason})
        else:
            say(reason)
    for name, findings in results.items():
        if as_json:
            say_json({"list": name, "findings": [_finding_json(finding) for finding in findings]})
            continue
        for finding in findings:
            say(f"{name}: {finding.level.name.lower()}: {finding.where}: {finding.message} ({finding.why})")
        if not findings:
            say(f"{name}: nothing to complain about")
    failed = any(finding.level is Level.FAILURE for findings in results.values() for finding in findings)
    raise typer.Exit(Exit.CHECK_FAILED if failed else Exit.DONE)


async def _lint_all(
    program: Program, list_name: str | None, day: date | None, *, links: bool
) -> tuple[dict[str, list[Finding]], dict[str, str]]:
    """Return the findings of each list, and of those that have no issue why."""
    results, nothing = {}, {}
    for file in chosen(program.lists.load(), list_name):
        try:
            issue, _ = await program.studio.issue(file.list.name, day)
        except NothingNewError as error:
            nothing[file.list.name] = str(error)
            continue
        raw = await program.studio.raw(issue, file, None)
        is_local = bootstrap.relays_are_local(program.settings)
        results[file.list.name] = lint(raw, issue, https=links, is_local=is_local)
        if links:
            with waiting(f"asking for the links of {file.list.name}"):
                results[file.list.name] += await dead_links(
                    raw, program.problem_of_link, own=program.links.public_url
                )
    return results, nothing


def _finding_json(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "level": finding.level.name.lower(),
        "where": finding.where,
        "message": finding.message,
        "why": finding.why,
    }

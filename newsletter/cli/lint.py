"""`lint`: the checks that an issue must pass before it goes out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import complain, say, say_json, waiting
from newsletter.cli.session import AsJson, Day, ListName, chosen_with_wrong, doubtful_templates, looking
from newsletter.core.errors import NothingNewError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.render.lint import Finding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(lint)


def lint(
    *,
    list_name: ListName = None,
    date: Day = None,
    links: Annotated[
        bool, typer.Option("--links", help="Ask for every link too, and name those of plain HTTP.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check size, links, accessibility and deliverability of an issue; exit 1 on a failure."""
    from newsletter.render.lint import Level

    results, nothing, trouble = looking(lambda program: _findings(program, list_name, date, links=links))
    if as_json:
        _say_json(results, nothing, one=list_name is not None)
    else:
        _say(results, nothing)
    failed = any(finding.level is Level.FAILURE for findings in results.values() for finding in findings)
    raise typer.Exit(Exit.CHECK_FAILED if failed and trouble is not Exit.CONFIGURATION else trouble)


def _say_json(results: Mapping[str, list[Finding]], nothing: Mapping[str, str], *, one: bool) -> None:
    """Print an array with an object for each list; for one list that was named, its object."""
    shown: list[dict[str, Any]] = [
        *({"list": name, "findings": [], "reason": reason} for name, reason in nothing.items()),
        *({"list": name, "findings": [_finding_json(each) for each in found]} for name, found in results.items()),
    ]
    say_json(shown[0] if one and shown else shown)


def _say(results: Mapping[str, list[Finding]], nothing: Mapping[str, str]) -> None:
    for reason in nothing.values():
        say(reason)
    for name, findings in results.items():
        for finding in findings:
            say(f"{name}: {finding.level.name.lower()}: {finding.where}: {finding.message} ({finding.why})")
        if not findings:
            say(f"{name}: nothing to complain about")


async def _findings(
    program: Program, list_name: str | None, day: date | None, *, links: bool
) -> tuple[dict[str, list[Finding]], dict[str, str], Exit]:
    """Return the findings of each list, why others have no issue, and the exit code if nothing is found."""
    from newsletter.render.lint import dead_links
    from newsletter.render.lint import lint as findings_in
    from newsletter.settings.reach import relays_are_local

    results, nothing = {}, {}
    files, wrong = chosen_with_wrong(program.lists, list_name)
    for line in (*wrong, *doubtful_templates(program.settings)):
        complain(str(line))
    trouble = Exit.CONFIGURATION if wrong else Exit.DONE
    for file in files:
        try:
            issue = await program.studio.issue(file.list.name, day)
        except (NothingNewError, SourceError) as reason:
            nothing[file.list.name] = str(reason)
            if isinstance(reason, SourceError) and not wrong:
                trouble = Exit.UNAVAILABLE
            continue
        raw = await program.studio.raw(issue, None)
        is_local = relays_are_local(program.settings.smtp)
        found = findings_in(raw, issue, https=links, is_local=is_local)
        for tag in await program.studio.languages(issue):
            spoken = await program.studio.raw(issue, None, language=tag)
            more = findings_in(spoken, issue.in_language(tag), https=links, is_local=is_local)
            found += [replace(one, where=f"{tag}: {one.where}") for one in more if one not in found]
        results[file.list.name] = found
        if links:
            with waiting(f"asking for the links of {file.list.name}") as progress:
                results[file.list.name] += await dead_links(
                    raw, program.problem_of_link, own=program.links.public_url, progress=progress
                )
    return results, nothing, trouble


def _finding_json(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "level": finding.level.name.lower(),
        "where": finding.where,
        "message": finding.message,
        "why": finding.why,
    }

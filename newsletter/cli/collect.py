"""`collect`: read the sources now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import complain, say, say_json
from newsletter.cli.session import AsJson, Day, ListName, chosen_with_wrong, now, until_signal
from newsletter.core.text import counted

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from datetime import date

    from newsletter.bootstrap import Program
    from newsletter.pipeline.collect import Collected
    from newsletter.pipeline.summary_counts import SummaryCounts

    Result = tuple[str, date, Collected, SummaryCounts | None]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(collect)


def collect(*, list_name: ListName = None, date: Day = None, as_json: AsJson = False) -> None:
    """Fetch listings and sightings now; only adds, safe to repeat at any time.

    Where a list asks for summaries, the model writes those that are missing.
    """
    results, is_wrong = until_signal(
        lambda program, stop: _unless_stopped(program, list_name, date, stop),
        cut_off=Exit.TEMPORARY,
        waits_for_lists=False,
    )
    if as_json:
        shown = [_collected_json(*result) for result in results]
        say_json(shown[0] if list_name is not None and shown else shown)
    else:
        _say(results)
    nothing = bool(results) and all(collected.nothing_answered for _, _, collected, _ in results)
    code = Exit.UNAVAILABLE if nothing else Exit.DONE
    raise typer.Exit(Exit.CONFIGURATION if is_wrong else code)


def _say(results: Sequence[Result]) -> None:
    for name, on, collected, summaries in results:
        unread = f"; {collected.skipped:,} could not be read, see the warnings" if collected.skipped else ""
        links = counted(collected.links_left_out, "link") if collected.links_left_out else ""
        unread += f"; {links} left out, see the warnings" if links else ""
        say(f"{name} {on}: {counted(collected.read, 'paper')} read, {collected.new:,} of them new{unread}")
        for reason in collected.failures.values():
            say(f"  failed: {reason}")
        if summaries is not None:
            say(f"  summaries: {summaries.in_words()}")


async def _unless_stopped(
    program: Program, list_name: str | None, day: date | None, stop: asyncio.Event
) -> tuple[list[Result], bool]:
    from newsletter.stopping import unless_stopped

    return await unless_stopped(stop, _collect_lists(program, list_name, day))


async def _collect_lists(program: Program, list_name: str | None, day: date | None) -> tuple[list[Result], bool]:
    """Collect for the lists whose files are right; return also whether the file of another is wrong."""
    from newsletter.pipeline.collect import collect_now
    from newsletter.pipeline.summarizing import TIME_OF_COLLECTING, summarized

    files, wrong = chosen_with_wrong(program.lists, list_name)
    for error in wrong:
        complain(str(error))
    results: list[Result] = []
    for file in files:
        sources = program.sources_of(file.list)
        on, collected = await collect_now(program.store, sources, file.list, day, now=now())
        names = [source.name for source in sources]
        counts = await summarized(program.store, program.summaries, file.list, names, on, TIME_OF_COLLECTING)
        results.append((file.list.name, on, collected, counts))
    return results, bool(wrong)


def _collected_json(name: str, on: date, collected: Collected, summaries: SummaryCounts | None) -> dict[str, Any]:
    return {
        "list": name,
        "date": on.isoformat(),
        "collected": dict(collected.listed),
        "read": collected.read,
        "new": collected.new,
        "skipped": collected.skipped,
        "links_left_out": collected.links_left_out,
        "repeats": list(collected.repeats),
        "failures": dict(collected.failures),
        **({} if summaries is None else {"summaries": summaries.as_json()}),
    }

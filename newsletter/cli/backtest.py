"""`backtest`: what past issues would have held."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.output import say, say_json, table
from newsletter.cli.session import AsJson, ListName, chosen, parse_day, settings, within
from newsletter.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

    from newsletter.backtest import BacktestResult, DayResult, Reach
    from newsletter.bootstrap import Program
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.ports import Source

_COLUMNS = (
    *("day", "listed", "mailed", "late"),
    *("top 5 at once", "soon", "top 10 at once", "soon", "note"),
)
_INCHES = (12, 6)


First = Annotated[
    date | None, typer.Option("--from", metavar="YYYY-MM-DD", parser=parse_day, help="The first day.")
]
Last = Annotated[date | None, typer.Option("--to", metavar="YYYY-MM-DD", parser=parse_day, help="The last day.")]
RecordingsFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Recorded pages of Hugging Face, DAY.morning.json and DAY.final.json, in place of the list's "
        "sources. Then the list may be left out, and the days.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backtest)


def backtest(
    *,
    list_name: ListName = None,
    first: First = None,
    last: Last = None,
    recordings: RecordingsFolder = None,
    max_listings: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=1_000_000, help="As if the list had this limit; 0: none.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it, too: a .png, .svg or .pdf (needs matplotlib).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay past days: what their issues would have held, and what they would have missed.

    The sources' own past knows pages only as they stand in the end, so the figures of the same day are the best
    that could be; recordings know the page of the morning and that of the end.
    """
    figure = _figure() if plot else None  # known at once, not after the work
    if recordings is None:
        result = within(lambda program: _of_sources(program, list_name, first, last, max_listings))
    else:
        result = _of_recordings(recordings, list_name, first, last, max_listings)
    if figure is not None and plot is not None:
        _draw(result, figure, plot)
    if as_json:
        say_json(result.as_json())
    else:
        _say(result)


def _of_recordings(
    folder: Path, name: str | None, first: date | None, last: date | None, max_listings: int | None
) -> BacktestResult:
    import asyncio

    from newsletter.backtest import Recordings

    source = Recordings(folder)
    list_ = _recorded_list(name, max_listings)
    return asyncio.run(_replayed(list_, [source], first or source.first, last or source.last))


def _recorded_list(name: str | None, max_listings: int | None) -> NewsletterList:
    """Return the list that recordings are replayed for: the one of that name, else one with the default rules."""
    from newsletter.backtest import Recordings
    from newsletter.core.newsletter_list import Masthead, NewsletterList

    loaded = settings()
    if name is not None:
        list_ = chosen(bootstrap.list_files(loaded), name)[0].list
    else:
        masthead = Masthead(list="backtest", title="Backtest", sender="backtest@example.org")
        list_ = NewsletterList(masthead=masthead, sources=(Recordings.name,))
    return list_ if max_listings is None else replace(list_, max_listings=max_listings)


async def _of_sources(
    program: Program, name: str | None, first: date | None, last: date | None, max_listings: int | None
) -> BacktestResult:
    files = chosen(program.lists, name)
    if len(files) > 1:
        raise UsageError("name one list: --list NAME")
    if first is None or last is None:
        raise UsageError("name the days: --from YYYY-MM-DD --to YYYY-MM-DD")
    list_ = files[0].list
    sources = program.sources_of(list_)
    if max_listings is not None:
        list_ = replace(list_, max_listings=max_listings)
    return await _replayed(list_, list(sources), first, last)


async def _replayed(list_: NewsletterList, sources: list[Source], first: date, last: date) -> BacktestResult:
    import logging

    import structlog

    from newsletter.backtest import replayed

    if last < first:
        raise UsageError(f"--from {first} is after --to {last}")
    # A replay is hundreds of runs: of their logs only what went wrong is of interest.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with _progress() as progress:
        return await replayed(list_, sources, first=first, last=last, progress=progress)


@contextmanager
def _progress() -> Iterator[Callable[[date], object]]:
    """Yield a function that shows, on a terminal, the day of the issue that is made."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replaying", total=None)
        yield lambda day: bar.update(task, description=f"replaying {day}")


def _say(result: BacktestResult) -> None:
    table(_COLUMNS, (_row(day) for day in result.days), folds=_COLUMNS[-1:])
    say("")
    say(f"papers listed: {result.listed}, mailed: {result.mailed}, mailed twice: {result.mailed_twice}")
    for count in (5, 10):
        same, soon = (result.total(f"top{count}_{when}") for when in ("same_day", "next_issue"))
        say(f"final top {count}: {_percent(same)} mailed the same day, {_percent(soon)} by the next issue")
    if result.closing is not None:
        say(f"papers of the last day that came late are in the issue of {result.closing}, which is counted too")
    for source in result.left_out:
        say(f"left out: {source}, which keeps no past")


def _row(day: DayResult) -> tuple[object, ...]:
    from newsletter.backtest import SHARES

    reaches: list[Reach] = [getattr(day, name) for name in SHARES]
    return (day.day, day.listed, day.mailed, day.late, *(_of(reach) for reach in reaches), day.reason)


def _of(reach: Reach) -> str:
    return f"{reach.reached}/{reach.of}" if reach.of else "-"


def _percent(reach: Reach) -> str:
    return "-" if reach.share is None else f"{reach.share:.1%}"


def _figure() -> Figure:
    """Return an empty drawing.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # an extra: all but the plot works without it
    except ImportError:
        raise UsageError("--plot needs matplotlib; install it beside the program with pip") from None
    return Figure(figsize=_INCHES, layout="constrained")


def _draw(result: BacktestResult, figure: Figure, path: Path) -> None:
    """Draw papers listed and mailed by day, and the reach of the final top ten.

    Raises:
        UsageError: the file cannot be written.
    """
    papers, reach = figure.subplots(2, 1, sharex=True)
    days = [day.day for day in result.days]
    papers.bar(days, [day.listed for day in result.days], color="#d5d2ca", label="listed")
    papers.bar(days, [day.mailed for day in result.days], width=0.5, color="#1a6b4f", label="mailed")
    papers.bar(days, [day.late for day in result.days], width=0.5, color="#7fd1b0", label="… of earlier days")
    for name, style, label in (
        ("top10_same_day", ":", "mailed the same day"),
        ("top10_next_issue", "-", "by the next issue"),
    ):
        shares = [getattr(day, name).share for day in result.days]
        reach.plot(days, [float("nan") if share is None else share for share in shares], style, label=label)
    papers.set_ylabel("papers")
    reach.set_ylabel("of the final top ten")
    reach.set_ylim(0, 1.05)
    for axes in (papers, reach):
        axes.legend()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error

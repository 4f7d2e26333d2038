from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from newsletter.cli.main import application
from newsletter.core.errors import UsageError
from tests.backtest.recorded import FRIDAY, MONDAY, a_week

LIST = """
title = "Papers"
sender = "papers@example.org"
sources = ["jsonl:papers.jsonl", "arxiv:cs.CL"]
max_listings = 1
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be in a folder with recordings and with a list that has a past of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    a_week(tmp_path / "recordings")
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "papers.toml").write_text(LIST)
    lines = ({"title": f"Paper {n}", "upvotes": n, "listed_on": f"2026-03-{9 + n // 2:02}"} for n in range(6))
    (tmp_path / "subscribers" / "papers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    yield tmp_path
    structlog.reset_defaults()


def backtest(*words: str) -> Result:
    return CliRunner().invoke(application(), ["backtest", *words])


def test_recordings_alone_are_enough() -> None:
    result = backtest("--recordings", "recordings", "--json", "--max-listings", "0")
    assert result.exit_code == 0
    totals = json.loads(result.stdout)["totals"]
    assert (totals["listed"], totals["mailed"], totals["mailed_twice"]) == (60, 60, 0)
    assert totals["top5_next_issue"] == totals["top10_next_issue"] == 1


def test_the_table_tells_days_and_totals() -> None:
    result = backtest("--recordings", "recordings", "--from", str(MONDAY), "--to", str(FRIDAY))
    assert result.exit_code == 0
    assert "2026-03-09  12      8" in result.stdout
    assert "papers listed: 60, mailed: 60, mailed twice: 0\n" in result.stdout
    assert "final top 5: 20.0% mailed the same day, 100.0% by the next issue\n" in result.stdout
    assert "are in the issue of 2026-03-16, which is counted too" in result.stdout


def test_a_list_with_recordings_keeps_its_own_rules() -> None:
    result = backtest("--recordings", "recordings", "--list", "papers", "--json")
    assert {day["mailed"] for day in json.loads(result.stdout)["days"]} == {1}


def test_the_sources_own_past_is_replayed() -> None:
    result = backtest("--list", "papers", "--from", "2026-03-09", "--to", "2026-03-11")
    assert result.exit_code == 0
    assert "papers listed: 6, mailed: 3" in result.stdout
    assert "left out: arxiv:cs.CL, which keeps no past\n" in result.stdout
    assert "2026-03-10  2       1       0     1/2 " in result.stdout


def test_a_limit_may_be_tried_out() -> None:
    result = backtest("--list", "papers", "--from", "2026-03-09", "--to", "2026-03-11", "--max-listings", "9")
    assert "papers listed: 6, mailed: 6" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "2026-03-09"], "name the days: --from YYYY-MM-DD --to YYYY-MM-DD"),
        (["--list", "nope"], "there is no list 'nope'"),
        (["--recordings", "recordings", "--from", "2026-03-12", "--to", "2026-03-11"], "is after"),
        (["--recordings", "subscribers"], "holds no recordings"),
    ],
)
def test_wrong_usage_is_said_in_one_line(words: list[str], message: str) -> None:
    result = backtest(*words)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_of_several_lists_one_must_be_named(place: Path) -> None:
    (place / "subscribers" / "more.toml").write_text(LIST)
    result = backtest("--from", "2026-03-09", "--to", "2026-03-10")
    assert str(result.exception) == "name one list: --list NAME"


def test_without_matplotlib_a_plot_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = backtest("--recordings", "recordings", "--plot", "out.png")
    assert str(result.exception) == "--plot needs matplotlib; install it beside the program with pip"


class Drawing:
    """Stands in for matplotlib, an extra, where it is not installed: takes every call, and writes a file."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.drawn: list[str] = []

    def subplots(self, rows: int, columns: int, **_: Any) -> list[Drawing]:
        return [Drawing() for _ in range(rows * columns)]

    def savefig(self, path: Path) -> None:
        if path.suffix != ".png":
            raise ValueError(f"Format {path.suffix} is not supported")
        path.write_bytes(b"drawn")

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


@pytest.fixture
def matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = ModuleType("matplotlib.figure")
    figure.Figure = Drawing  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib", ModuleType("matplotlib"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", figure)


@pytest.mark.usefixtures("matplotlib")
def test_a_plot_is_drawn_beside_the_figures(place: Path) -> None:
    result = backtest("--recordings", "recordings", "--plot", "out.png", "--json")
    assert result.exit_code == 0
    assert (place / "out.png").read_bytes() == b"drawn"


@pytest.mark.usefixtures("matplotlib")
def test_a_plot_that_cannot_be_written_is_named() -> None:
    result = backtest("--recordings", "recordings", "--plot", "out.doc")
    assert str(result.exception) == "out.doc: Format .doc is not supported"

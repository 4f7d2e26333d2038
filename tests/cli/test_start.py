"""Commands start quickly: each loads what it needs, and no large library that only others need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.commands import COMMANDS, load
from newsletter.cli.completion import list_names
from newsletter.store import open_store
from tests.e2e.workplace import NEWSLETTER, ROOT

LIST = """title = "Daily"
sender = "Daily <papers@example.org>"
postal_address = "1 Reading Lane"
sources = ["jsonl:papers-*.jsonl"]

[[subscribers]]
email = "ann@example.org"
"""

# What takes long to load.
LARGE = {
    *("aiosmtpd", "aiosmtplib", "aiosqlite", "alembic", "apscheduler", "asyncio", "babel"),
    *("cryptography", "cssselect2", "prometheus_client"),
    *("email_validator", "httpx2", "jinja2", "lxml", "matplotlib", "premailer", "psycopg", "pydantic"),
    *(
        "pydantic_settings",
        "pylatexenc",
        "rich.console",
        "rich.traceback",
        "sqlalchemy",
        "sqlalchemy.dialects.postgresql",
        "starlette",
    ),
    *("structlog", "tinycss2", "uvicorn", "uvloop"),
}
HELP = {"rich.console", "rich.traceback"}
SETTINGS = {"asyncio", "pydantic", "pydantic_settings", "structlog"}
LEDGER = {*SETTINGS, "aiosqlite", "sqlalchemy", "uvloop"}
LISTS = {"email_validator"}
RENDERING = {"babel", "cssselect2", "jinja2", "lxml", "premailer", "pylatexenc", "tinycss2"}

# Which of it a command may load.
MAY_LOAD = {
    "": HELP,
    "--version": set(),
    "--help": HELP,
    "run --help": HELP,
    "deliveries list --help": HELP,
    "init elsewhere": {"pydantic"},  # by typer, for a path
    "lists check": {*LEDGER, *LISTS},  # the folder has one
    "lists schema": {"pydantic"},
    "db upgrade": {*LEDGER, "alembic", "sqlalchemy.dialects.postgresql"},
    "status": {*LEDGER, *LISTS},
    "issues list": {*LEDGER},
    "deliveries list": {*LEDGER},
    "deliveries retry": LEDGER,
    "suppressions list": {*LEDGER},
    "suppressions add ben@example.org": {*LEDGER, *LISTS},
    "collect --date 2026-03-12": {*LEDGER, *LISTS},  # from files
    "run --dry-run --date 2026-03-11": {*LEDGER, *LISTS},  # there is nothing new
    "run --dry-run --date 2026-03-12": {*LEDGER, *LISTS, *RENDERING},
    "render --list daily --date 2026-03-12": {*LEDGER, *LISTS, *RENDERING},
}


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Return a working folder whose ledger is up to date, so that no command has to make its tables."""
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST)
    (tmp_path / "subscribers" / "papers-2026-03-12.jsonl").write_text('{"title": "A paper"}')
    await (await open_store(f"sqlite:///{tmp_path}/var/newsletter.db")).close()
    return tmp_path


def started(folder: Path, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return subprocess.run(
        command, cwd=folder, env={**kept, **more}, check=False, capture_output=True, text=True, timeout=120
    )


def loaded_by(folder: Path, *words: str) -> set[str]:
    """Return the modules that a command loads."""
    done = started(folder, sys.executable, "-X", "importtime", NEWSLETTER, *words)
    assert done.returncode in {0, 2}, done.stderr  # 2: no command was named
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


# A process for each: those that load the least, and those that load the most.
_SOON = ("", "--help", "lists check", "issues list", "render --list daily --date 2026-03-12")


@pytest.mark.parametrize(
    "command", [one if one in _SOON else pytest.param(one, marks=pytest.mark.long) for one in MAY_LOAD]
)
def test_a_command_loads_no_large_library_that_it_does_not_need(command: str, folder: Path) -> None:
    assert loaded_by(folder, *command.split()) & LARGE <= MAY_LOAD[command]


def test_a_library_that_is_loaded_is_seen(folder: Path) -> None:
    assert {"sqlalchemy", "aiosqlite"} <= loaded_by(folder, "issues", "list")


def test_to_declare_its_options_no_command_loads_a_large_library(tmp_path: Path) -> None:
    code = "import sys; from newsletter.cli.commands import COMMANDS, load\nfor name in COMMANDS: load(name)"
    done = started(tmp_path, sys.executable, "-c", f"{code}\nprint(*sys.modules)")
    assert "newsletter.cli.serve" in done.stdout.split()
    assert set(done.stdout.split()) & LARGE == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_all_commands_says_of_each_what_its_own_help_begins_with(name: str) -> None:
    assert load(name).help.partition("\n\n")[0] == COMMANDS[name].help


def completed(folder: Path, line: str) -> list[str]:
    """Return what bash would offer at the end of a line."""
    at = str(len(line.split(" ")) - 1)
    done = started(folder, NEWSLETTER, _NEWSLETTER_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=at)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("newsletter st", ["status"]),
        ("newsletter issues ", ["list", "show", "pause", "resume", "cancel", "accept-restored"]),
        ("newsletter run --dr", ["--dry-run"]),
        ("newsletter render --format ", ["html", "text", "eml"]),
        ("newsletter deliveries list --state un", ["uncertain"]),
        ("newsletter run --list d", ["daily"]),
        ("newsletter issues show -l ", ["daily"]),
    ],
)
def test_the_shell_completes_commands_options_and_values(folder: Path, line: str, offered: list[str]) -> None:
    assert completed(folder, line) == offered


def test_lists_are_completed_in_the_folder_that_the_line_names(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert completed(elsewhere, "newsletter run --list ") == []
    assert completed(elsewhere, f"newsletter --dir {folder} run --list ") == ["daily"]


def test_lists_are_completed_from_the_folder_that_the_settings_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEWSLETTER_PATHS__SUBSCRIBERS", raising=False)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.toml").touch()
        (tmp_path / name / f".{name}.toml").touch()
    env = tmp_path / ".env"
    assert list_names(env, "") == []
    env.write_text("NEWSLETTER_PATHS__SUBSCRIBERS=there\n")
    assert list_names(env, "") == ["there"]
    monkeypatch.setenv("NEWSLETTER_PATHS__SUBSCRIBERS", "here")
    assert list_names(env, "") == ["here"]
    assert list_names(env, "t") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_shown(tmp_path: Path, shell: str) -> None:
    # Without this, typer looks for the shell among the processes that started it.
    plain = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = started(tmp_path, NEWSLETTER, "--show-completion", shell, **plain)
    assert done.returncode == 0
    assert "_NEWSLETTER_COMPLETE" in done.stdout


def test_the_bench_prints_ratios_and_rows() -> None:
    command = [sys.executable, "bench/start.py", "--json", "--rounds", "1", "--only", "version", "help"]

    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    result = json.loads(done.stdout)
    assert list(result["ratios"]) == ["version", "help"]
    assert [row["command"] for row in result["rows"]] == ["python -c pass", "version", "help"]
    assert all(row["cpu_s"] > 0 for row in result["rows"])


# Prints, when `serve` begins to listen, what is not loaded yet, and ends.
LISTENING = """
import sys
from newsletter.cli import main
from newsletter.web import server

def serving(*_args, **_options):
    print(*NEEDED - set(sys.modules))
    raise SystemExit

server.serving = serving
sys.argv = ["newsletter", "serve"]
main()
"""


def test_serve_has_loaded_what_its_ticks_need_before_anybody_can_ask_for_a_page(folder: Path) -> None:
    needed = ["aiosmtplib", "httpx2", "jinja2", "newsletter.delivery.service", "newsletter.scheduling.tick"]
    code = f"NEEDED = {set(needed)!r}\n{LISTENING}"
    done = started(folder, sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr

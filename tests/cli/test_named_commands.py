"""Commands that messages, templates and documents name are there, with the options that stand behind them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli.commands import COMMANDS, load

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    *(ROOT / "newsletter").rglob("*.py"),
    *(ROOT / "newsletter" / "scaffold" / "files").iterdir(),
    *(path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt", ".js", ".md"}),
    *(path for path in (ROOT / "docs").glob("*.md") if path.name != "architecture.md"),
    *(ROOT / name for name in ("README.md", ".env.example", "subscribers/daily.toml")),
]
# In backquotes, or at the beginning of a line of its own.
NAMED = re.compile(r"`newsletter ((?:--dir \S+ )?[a-z][^`\n]*)`|^ *newsletter ((?:[a-z]+)(?: .*)?)$", re.MULTILINE)


def named() -> dict[str, str]:
    """Return the commands that are named, with a place of each."""
    found: dict[str, str] = {}
    for path in TEXTS:
        for words in NAMED.findall(path.read_text(encoding="utf-8")):
            found.setdefault("".join(words).partition("#")[0].strip(), str(path.relative_to(ROOT)))
    return found


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """Return all commands by their name."""
    return {name: load(name) for name in COMMANDS}


def problem(words: list[str], commands: dict[str, Any]) -> str:
    """Return what is not there of a command's words, or nothing."""
    name, *rest = words
    if name not in commands:
        return name
    command = commands[name]
    known = {"--help", "-h"}
    if subcommands := getattr(command, "commands", {}):
        if not rest or rest[0].startswith(("-", "…")):
            return ""
        alternatives = re.split(r"[|/]", rest[0].strip(",."))
        if wrong := [one for one in alternatives if one not in subcommands]:
            return f"{name} {wrong[0]}"
        command = subcommands[alternatives[0]]
    known |= {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    options = [word.partition("=")[0].rstrip(",.;:") for word in rest if word.startswith("--")]
    return next((f"{name} {option}" for option in options if option not in known), "")


def test_every_command_that_is_named_is_there(commands: dict[str, Any]) -> None:
    found = named()
    assert len(found) > 20
    wrong = {}
    for text, place in found.items():
        words = text.split()
        if words[0] == "--dir":
            words = words[2:]
        if words and words[0] != "…" and (missing := problem(words, commands)):
            wrong[text] = f"{place}: there is no {missing}"
    assert wrong == {}

"""A working folder with one list, and what runs commands in this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli import main

Call = Callable[..., tuple[int, str, str]]  # words of a command: exit code, stdout, stderr

LIST = """title = "Daily"
sender = "Daily <papers@lab.example>"
postal_address = "1 Reading Lane"
sources = ["jsonl:papers-*.jsonl"]
"""
READER = '\n[[subscribers]]\nemail = "ann@lab.example"\n'


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Return what runs a command in this process, and gives its exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))

    def called(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["newsletter", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return called


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with a list and no readers, in which commands run."""
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    return tmp_path

"""`init` at a terminal and without one."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from newsletter.cli import main
from newsletter.settings import load


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True


def init(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str | None = None) -> None:
    """Run the command in this process."""
    monkeypatch.setattr(sys, "argv", ["newsletter", "init", *words])
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))
    monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


def test_at_a_terminal_it_asks_until_the_answer_will_do_and_the_folder_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = (
        "Lab news\npapers@lab\npapers@lab.example\n\nann@lab.example\nMars\nAsia/Tokyo\nmail.lab.example\nann\n"
    )
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: "of 'ann'")
    init(monkeypatch, "my papers", typed=typed)
    out = capfd.readouterr().out
    assert "'papers@lab' is not a mail address" in out
    assert "unknown timezone 'Mars'" in out
    assert "\n  cd 'my papers'\n" in out
    assert " send --list daily --to ann@lab.example" in out
    text = (tmp_path / "my papers" / "subscribers" / "daily.toml").read_text()
    for line in (
        'sender = "Lab news <papers@lab.example>"',
        'email = "ann@lab.example"',
        'timezone = "Asia/Tokyo"',
    ):
        assert f"\n{line}" in text
    smtp = load(tmp_path / "my papers" / ".env").smtp
    assert (smtp.host, smtp.username, smtp.password.get_secret_value()) == ("mail.lab.example", "ann", "of 'ann'")


@pytest.mark.parametrize(("words", "typed"), [((), None), (("--yes",), "")])
def test_it_asks_nothing_without_a_terminal_or_when_it_should_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    typed: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    init(monkeypatch, *words, typed=typed)
    out = capfd.readouterr().out
    assert "wrote subscribers/daily.toml" in out
    assert "  cd " not in out  # it is the present folder
    init(monkeypatch, "--templates", typed="")  # the list is there: there is nothing to ask
    out = capfd.readouterr().out
    assert "kept subscribers/daily.toml, which was there already" in out
    assert "Next:" not in out

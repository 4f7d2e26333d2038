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
        "Lab news\nhugging\nhuggingface, arxiv:cs.CL+cs.LG\npapers@lab\npapers@lab.example\n\nann@lab.example\n"
        "Mars\nAsia/Tokyo\n8 am\n07:30\nmail.lab.example\nann\n"
    )
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: "of 'ann'")
    init(monkeypatch, "my papers", typed=typed)
    out = capfd.readouterr().out
    assert "'papers@lab' is not a mail address" in out
    assert "unknown timezone 'Mars'" in out
    assert "'hugging'" in out
    assert "'8 am' is not a time of day" in out
    assert "\n  cd 'my papers'\n" in out
    assert " send --list daily --to ann@lab.example" in out
    text = (tmp_path / "my papers" / "subscribers" / "daily.toml").read_text()
    for line in (
        'sender = "Lab news <papers@lab.example>"',
        'email = "ann@lab.example"',
        'timezone = "Asia/Tokyo"',
        'hour = "07:30"',
        'sources = ["huggingface", "arxiv:cs.CL+cs.LG"]',
    ):
        assert f"\n{line}" in text
    smtp = load(tmp_path / "my papers" / ".env").smtp
    assert (smtp.host, smtp.username, smtp.password.get_secret_value()) == ("mail.lab.example", "ann", "of 'ann'")


def test_workers_go_with_what_starts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["newsletter", "init", "--yes", "--workers", "2"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "goes with --compose or --systemd" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
    init(monkeypatch, "--yes", "--compose", "--systemd", "--workers", "2")
    out = capfd.readouterr().out
    assert "docker compose run --rm web lists check" in out
    assert "enable --now newsletter-scheduler newsletter-web newsletter-worker@1 newsletter-worker@2" in out
    assert "docker compose up --detach" in out


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


def test_its_next_commands_are_those_of_containers_and_of_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    init(monkeypatch, "papers", "--compose", "--systemd")
    out = capfd.readouterr().out
    assert "\n  docker compose run --rm newsletter lists check " in out
    assert "\n  docker compose up --detach " in out
    assert f"\n  sudo cp {tmp_path}/papers/systemd/newsletter.service /etc/systemd/system/\n" in out
    assert "chown" not in out
    assert "\nUser=ann\n" in (tmp_path / "papers" / "systemd" / "newsletter.service").read_text()
    monkeypatch.setattr("os.getuid", lambda: 0)
    init(monkeypatch, "others", "--compose", "--systemd")
    out = capfd.readouterr().out
    assert "\n  chown -R 10001:10001 . " in out
    assert f"\n  chown -R newsletter: {tmp_path}/others\n" in out
    assert "\nUser=newsletter\n" in (tmp_path / "others" / "systemd" / "newsletter.service").read_text()

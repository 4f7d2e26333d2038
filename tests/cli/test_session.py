"""On what event loop a command runs."""

from __future__ import annotations

import asyncio
import builtins
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter import cli
from newsletter.bootstrap import Program
from newsletter.cli import session, streams
from tests.render import mails as make


def test_who_interrupts_a_command_before_it_began_sees_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(streams, "prepare", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, capfd.readouterr()) == (130, ("", ""))
    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as ended:
        exec(Path(cli.__file__).read_text(encoding="utf-8"))  # noqa: S102 -- as at the first import
    assert ended.value.code == 130


async def loop_of(_: Program) -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@pytest.mark.parametrize(("signs", "loop"), [(False, "uvloop"), (True, "asyncio")])
def test_uvloop_is_left_where_mail_is_signed(
    signs: bool, loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").touch()
    if signs:
        key = make.rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "dkim.pem").write_bytes(key)
        monkeypatch.setenv("NEWSLETTER_DKIM__DOMAIN", "example.org")
        monkeypatch.setenv("NEWSLETTER_DKIM__SELECTOR", "main")
        monkeypatch.setenv("NEWSLETTER_DKIM__KEY_FILE", "dkim.pem")
    assert session.within(loop_of) == loop

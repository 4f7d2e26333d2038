"""On what event loop a command runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.bootstrap import Program
from newsletter.cli import session
from tests.render import mails as make

LIST = 'title = "Papers"\nsender = "papers@lab.example"\nsources = ["huggingface"]\n'


async def loop_of(_: Program) -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@pytest.mark.parametrize(("signs", "loop"), [(False, "uvloop"), (True, "asyncio")])
def test_uvloop_is_left_where_mail_is_signed(
    signs: bool, loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST)
    if signs:
        key = make.rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "dkim.pem").write_bytes(key)
        monkeypatch.setenv("NEWSLETTER_DKIM__DOMAIN", "example.org")
        monkeypatch.setenv("NEWSLETTER_DKIM__SELECTOR", "main")
        monkeypatch.setenv("NEWSLETTER_DKIM__KEY_FILE", "dkim.pem")
    assert session.within(loop_of) == loop

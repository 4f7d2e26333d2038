from __future__ import annotations

import asyncio
import mailbox
from pathlib import Path

import aiosmtplib
import pytest
from structlog.testing import capture_logs

from newsletter.core.errors import ConfigurationError
from newsletter.demo.catch_all import catch_all

MAIL = b"Subject: hello\r\nTo: reader@example.org\r\n\r\n.a dot\r\n\xc3\xbcber bytes\r\n"


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def send(port: int, mail: bytes = MAIL, *recipients: str) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    async with client:
        await client.sendmail(
            "papers@example.org",
            recipients or ["reader@example.org"],
            mail,
            mail_options=["BODY=8BITMIME", "SMTPUTF8"],
        )


async def test_mail_is_stored_byte_for_byte_in_a_maildir(tmp_path: Path) -> None:
    async with catch_all(tmp_path / "deep" / "inbox") as port:
        await send(port)
    (stored,) = files(tmp_path / "deep" / "inbox" / "new")
    assert stored.read_bytes() == MAIL
    assert not files(tmp_path / "deep" / "inbox" / "tmp")


async def test_the_maildir_opens_as_one_and_keeps_the_order_of_arrival(tmp_path: Path) -> None:
    async with catch_all(tmp_path) as port:
        for number in range(3):
            await send(port, b"Subject: %d\r\n\r\nx\r\n" % number)
    box = mailbox.Maildir(tmp_path)
    assert [box[key]["Subject"] for key in sorted(box.keys())] == ["0", "1", "2"]
    box.close()


async def test_every_recipient_is_taken_and_addresses_beyond_ascii_too(tmp_path: Path) -> None:
    async with catch_all(tmp_path) as port:
        await send(port, MAIL, "whoever@nowhere.example", "jörg@exämple.org")
    assert len(files(tmp_path / "new")) == 1


async def test_a_message_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    async with catch_all(tmp_path, max_message_bytes=1000) as port:
        with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
            await send(port, b"Subject: x\r\n\r\n" + b"y" * 60 + b"\r\n" + b"z" * 990 + b"\r\n")
    assert refusal.value.code == 552
    assert not files(tmp_path / "new")


async def test_a_maildir_that_cannot_be_written_defers_the_mail(tmp_path: Path) -> None:
    async with catch_all(tmp_path) as port:
        (tmp_path / "tmp").rmdir()
        with capture_logs() as logs, pytest.raises(aiosmtplib.SMTPDataError) as deferral:
            await send(port)
    assert deferral.value.code == 451
    assert [one["event"] for one in logs] == ["inbox_full"]


async def test_it_ends_although_a_client_stays_connected(tmp_path: Path) -> None:
    async with asyncio.timeout(5):
        async with catch_all(tmp_path) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await reader.readline()).startswith(b"220")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_a_taken_port_is_one_line_that_names_it(tmp_path: Path) -> None:
    async with catch_all(tmp_path) as port:
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}: no inbox"):
            async with catch_all(tmp_path, port=port):
                pass


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        async with catch_all(tmp_path, host="192.0.2.1"):
            pass
    assert not files(tmp_path)

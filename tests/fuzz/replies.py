"""What a relay says: bytes on the wire, replies and what they make of a delivery, what EHLO offers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from aiosmtplib.esmtp import parse_esmtp_extensions

from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.envelope import Offers, UnusableAddressError, commands, envelope
from newsletter.delivery.smtp.replies import Reply, Stage, is_leave, step, verdict
from newsletter.delivery.smtp.session import Letter, content, is_plain
from newsletter.delivery.smtp.wire import Wire
from tests.fuzz.target import Target, as_bytes, text_target

_SAID = (
    "250-mail.example.org\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n250-AUTH=LOGIN\r\n250 SMTPUTF8\r\n",
    "250 2.1.0 Ok\r\n550 5.1.1 <a@example.org>: user unknown\r\n354 go on\r\n250 2.0.0 queued as 1\r\n",
    "421 4.3.2 closing\r\n",
    "550 5.7.1 relaying denied: mailbox not permitted by policy\n",
    "452 4.2.2 The email account is over quota\r\n535-5.7.8 no\r\n535 5.7.8 login\r\n",
)
_ADDRESSES = ("a@example.org", "ü@bücher.example", '"a b"@example.org', "a@[192.0.2.1]")


class _Transport(asyncio.Transport):
    """Takes everything and says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        pass


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


async def _heard(data: bytes) -> list[Reply]:
    transport = _Transport()
    link = Wire(transport)
    link.write(b"", replies=1_000)
    for start in range(0, len(data), 4_000):
        link.data_received(data[start : start + 4_000])
    assert transport.aborted == bool(link.lost)
    assert "\n" not in link.lost
    return link.replies


def _said(text: str) -> None:
    replies = _loop().run_until_complete(_heard(as_bytes(text)))
    is_leave(replies[:3])
    for reply in replies[:50]:
        _judged(reply)


def _judged(reply: Reply) -> None:
    assert "\n" not in str(reply)
    for stage in (None, *Stage):
        said = ""
        try:
            outcome = step(stage, reply, "mx") if stage else verdict(reply, "mx")
            said = outcome.text if outcome else ""
        except RelayError as error:
            said = str(error)
        assert "\n" not in said
        assert len(said) < 500


def _offered(text: str) -> None:
    extensions, _ = parse_esmtp_extensions(text.replace("\r\n", "\n"))
    offers = Offers.of(extensions)
    assert offers.limit >= 0
    for recipient in _ADDRESSES[:2]:
        with suppress(RelayError, UnusableAddressError):
            envelope(Letter("a@example.org", recipient, [b"\xff\r\n"]), offers, "mx")


def _addressed(text: str) -> None:
    data = as_bytes(text)
    pieces, end = content(Letter("a@example.org", text, [data, b"\r\n"], is_plain(data)))
    sent = b"".join((*pieces, end))
    assert sent.endswith(b"\r\n.\r\n")
    assert b"\n.\r\n" not in sent[:-3]  # nothing ends the message early
    letter = Letter("a@example.org", text, [data, b"\r\n"], is_plain(data))
    sent = commands(letter, Offers(size=True, eight_bit=True, utf8=True), "mx")
    assert sent.count(b"\n") == len(("MAIL", "RCPT", "DATA"))


TARGETS: tuple[Target, ...] = (
    text_target("replies", "replies", _said, _SAID, longer=lambda text: f"250-{text}\r\n550 5.1.1 {text}\r\n"),
    text_target("reply texts", "replies", lambda text: _judged(Reply(550, text)), _SAID),
    text_target(
        "ehlo",
        "replies",
        _offered,
        ("mx\nSIZE 1000\n8BITMIME\nAUTH PLAIN",),
        longer=lambda text: f"mx\nSIZE {text}",
    ),
    text_target("envelopes", "replies", _addressed, _ADDRESSES, documented=(RelayError, UnusableAddressError)),
)

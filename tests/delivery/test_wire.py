from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from newsletter.core.relay import Security
from newsletter.delivery.smtp.replies import Reply
from newsletter.delivery.smtp.wire import LostError, SilentError, Wire
from newsletter.delivery.smtp.write_queue import WriteQueue
from newsletter.ports import ChunkReport
from tests.delivery.fakes import FakeOutbox, message_for
from tests.delivery.services import process, relay_to
from tests.smtp_server import Certificates, SmtpServer


class _Transport:
    """As much of a transport as a link needs that only listens."""

    def writelines(self, data: tuple[bytes, ...]) -> None:
        pass

    def abort(self) -> None:
        pass


replies = st.lists(
    st.tuples(
        st.integers(min_value=200, max_value=599),
        st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), min_size=1, max_size=3),
    ),
    min_size=1,
)


@given(replies, st.data())
async def test_replies_are_the_same_however_the_bytes_come(
    said: list[tuple[int, list[str]]], data: st.DataObject
) -> None:
    wire = b""
    for code, lines in said:
        marks = ["-"] * (len(lines) - 1) + [" "]
        wire += "".join(f"{code}{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True)).encode()
    link = Wire(cast("asyncio.Transport", _Transport()))
    link.write(b"", replies=len(said))

    while wire:
        size = data.draw(st.integers(min_value=1, max_value=len(wire)))
        link.data_received(wire[:size])
        wire = wire[size:]

    assert [await link.reply(1) for _ in said] == [Reply(code, " ".join(lines)) for code, lines in said]


@given(st.binary())
async def test_whatever_the_bytes_a_link_gives_replies_or_is_lost(wire: bytes) -> None:
    link = Wire(cast("asyncio.Transport", _Transport()))
    link.write(b"", replies=1)

    link.data_received(wire)
    link.connection_lost(None)

    try:
        reply = await link.reply(1)
    except LostError:
        assert link.lost
    else:
        assert 0 <= reply.code <= 999


class _ClosedTransport(_Transport):
    """As uvloop's are, once they are closed."""

    @override
    def writelines(self, data: tuple[bytes, ...]) -> None:
        raise RuntimeError("unable to perform operation on a closed transport")


async def test_what_is_written_to_a_lost_connection_is_answered_by_the_loss() -> None:
    link = Wire(cast("asyncio.Transport", _ClosedTransport()))
    link.connection_lost(ConnectionResetError("reset"))

    link.write(b"MAIL FROM:<papers@example.org>\r\n", replies=1)

    with pytest.raises(LostError, match="reset"):
        await link.reply(1)


@given(st.integers(min_value=0, max_value=3), st.booleans())
async def test_no_reply_counts_that_comes_behind_nonsense(good: int, in_one_go: bool) -> None:
    link = Wire(cast("asyncio.Transport", _Transport()))
    link.write(b"", replies=6)
    parts = [b"250 Ok\r\n" * good, b"what?\r\n", b"250 Ok\r\n" * 2]
    for data in [b"".join(parts)] if in_one_go else parts:
        link.data_received(data)

    assert [await link.reply(1) for _ in range(good)] == [Reply(250, "Ok")] * good
    with pytest.raises(LostError, match="what"):
        await link.reply(1)


class _Clock:
    """As much of an event loop as a link needs to know the time, which passes when a test says so."""

    def __init__(self) -> None:
        self._now = 0.0
        self._timers: list[_Timer] = []

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> _Timer:
        self._timers.append(timer := _Timer(when, callback))
        return timer

    def pass_to(self, moment: float) -> None:
        self._now = moment
        for timer in [timer for timer in self._timers if timer.at <= moment and not timer.cancelled]:
            self._timers.remove(timer)
            timer.callback()


class _Timer:
    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at, self.callback, self.cancelled = at, callback, False

    def when(self) -> float:
        return self.at

    def cancel(self) -> None:
        self.cancelled = True


async def test_each_reply_has_its_own_time_however_long_the_session_lasts() -> None:
    link, clock = Wire(cast("asyncio.Transport", _Transport())), _Clock()
    link._loop = cast("asyncio.AbstractEventLoop", clock)
    link.write(b"", replies=4)
    for number in range(1, 4):
        waiting = asyncio.create_task(link.reply(600.0 if number == 2 else 60.0))
        await asyncio.sleep(0)
        clock.pass_to(50.0 * number)
        link.data_received(b"250 ok\r\n")
        assert (await waiting).code == 250

    waiting = asyncio.create_task(link.reply(60.0))
    await asyncio.sleep(0)
    clock.pass_to(209.0)
    too_early = link.lost
    clock.pass_to(211.0)

    assert (too_early, link.lost) == ("", "no answer within 60 seconds")
    await asyncio.wait([waiting])
    assert isinstance(waiting.exception(), LostError)


async def test_what_was_received_is_acknowledged_while_more_is_to_come() -> None:
    asked: list[int] = []
    link = Wire(cast("asyncio.Transport", _Transport()), acknowledge=lambda: asked.append(1))
    link.write(b"", replies=3)

    link.data_received(b"250 one\r\n25")
    link.data_received(b"0 two\r\n")
    before_the_last = len(asked)
    link.data_received(b"354 three\r\n")

    assert (before_the_last, len(asked)) == (2, 2)


async def test_a_socket_that_cannot_be_asked_to_acknowledge_costs_no_reply() -> None:
    asked: list[int] = []

    def refuse() -> None:
        asked.append(1)
        raise OSError

    link = Wire(cast("asyncio.Transport", _Transport()), acknowledge=refuse)
    link.write(b"", replies=3)
    link.data_received(b"250 one\r\n")
    link.data_received(b"250 two\r\n")
    link.data_received(b"354 three\r\n")

    assert [(await link.reply(1)).code for _ in range(3)] == [250, 250, 354]
    assert asked == [1]


@pytest.mark.parametrize("security", [Security.NONE, Security.STARTTLS])
async def test_a_system_without_quick_acknowledgements_does_without(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates, ca_file: Path, security: Security
) -> None:
    monkeypatch.delattr(socket, "TCP_QUICKACK", raising=False)
    async with SmtpServer(tls=certificates if security is Security.STARTTLS else None) as server:
        report = await process(FakeOutbox.of(10), relay_to(server, security=security, ca_file=ca_file)).deliver(
            message_for
        )

    assert report == ChunkReport(sent=10)


class _Pieces(_Transport):
    def __init__(self) -> None:
        self.written: list[tuple[bytes, ...]] = []

    def writelines(self, data: tuple[bytes, ...]) -> None:
        self.written.append(data)


async def test_under_tls_the_last_piece_has_a_record_of_its_own() -> None:
    transport = _Pieces()
    link = Wire(cast("asyncio.Transport", transport), is_tls=True)

    link.write(b".\r\nMAIL", replies=4, before=(b"a", b"b"))
    link.write(b"MAIL", replies=3)

    assert [[piece for piece in pieces if piece] for pieces in transport.written] == [
        [b"ab", b".\r\nMAIL"],
        [b"MAIL"],
    ]


async def test_messages_of_one_turn_go_out_together_at_its_end_in_their_order() -> None:
    queue, transport = WriteQueue(), _Pieces()
    links = [Wire(cast("asyncio.Transport", transport), queue=queue) for _ in range(3)]
    for place, link in enumerate(links):
        link.write_soon(b"%d." % place, replies=1, before=(b"message ",))
        assert link.has_held_back
        assert transport.written == []

    await asyncio.sleep(0)

    assert transport.written == [(b"message 0.",), (b"message 1.",), (b"message 2.",)]
    assert not any(link.has_held_back for link in links)


async def test_what_is_held_back_by_a_lost_connection_goes_nowhere_and_stops_no_other() -> None:
    queue, transport = WriteQueue(), _Pieces()
    lost, closed, other = (
        Wire(cast("asyncio.Transport", one), queue=queue) for one in (_Pieces(), _ClosedTransport(), transport)
    )
    for link in (lost, closed, other):
        link.write_soon(b"MAIL", replies=1)
    lost.connection_lost(None)

    await asyncio.sleep(0)

    assert lost.has_held_back
    assert closed.has_held_back
    assert closed.lost == "unable to perform operation on a closed transport"
    assert transport.written == [(b"MAIL",)]


async def test_an_answer_to_what_is_held_back_is_an_answer_to_nothing() -> None:
    link = Wire(cast("asyncio.Transport", _Pieces()))
    link.write_soon(b"MAIL", replies=1)

    link.data_received(b"250 taken\r\n")

    assert link.lost == "an answer to nothing: 250 taken"


async def test_a_reply_that_is_late_is_told_from_a_connection_that_is_lost() -> None:
    for patience, kind in ((0.01, SilentError), (5.0, LostError)):
        link = Wire(cast("asyncio.Transport", _Transport()))
        link.write(b"", replies=1)
        asyncio.get_running_loop().call_later(0.05, link.connection_lost, None)
        with pytest.raises(LostError) as lost:
            await link.reply(patience)
        assert type(lost.value) is kind

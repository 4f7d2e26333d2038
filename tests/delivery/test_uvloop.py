"""The same on uvloop, whose transports are others than asyncio's."""

from __future__ import annotations

from pathlib import Path

import pytest
import uvloop

from newsletter.core.relay import Security
from newsletter.ports import ChunkReport
from tests.delivery.fakes import FakeOutbox, message_for, reader
from tests.delivery.services import process, relay_to
from tests.smtp_server import DROP, Certificates, SmtpServer, in_thread


@pytest.mark.parametrize("security", Security)
def test_an_issue_goes_out(certificates: Certificates, ca_file: Path, tmp_path: Path, security: Security) -> None:
    tls = None if security is Security.NONE else certificates
    outbox = FakeOutbox.of(30)
    with in_thread(SmtpServer(tls=tls, implicit=security is Security.TLS)) as server:
        relays = relay_to(server, security=security, ca_file=ca_file)

        report = uvloop.run(process(outbox, relays, journals=tmp_path / "journals").deliver(message_for))

    assert report == ChunkReport(sent=30)
    assert server.copies() == {reader(number): 1 for number in range(1, 31)}


def test_a_lost_connection_is_noticed() -> None:
    outbox = FakeOutbox.of(10)
    with in_thread(SmtpServer()) as server:
        server.answer("MAIL", DROP, times=1)

        report = uvloop.run(process(outbox, relay_to(server)).deliver(message_for))

    assert report == ChunkReport(sent=10)

"""Relays over HTTPS, against a server on loopback that behaves like them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.core.delivery import DeliveryState, Doubt, Outcome
from newsletter.core.errors import RelayError, RelaySetupError
from newsletter.delivery.https.sigv4 import AwsKey, signed
from newsletter.delivery.relay import Relay
from newsletter.delivery.smtp.session import Letter
from newsletter.operations.alarms import LedgerAlarm
from newsletter.parts.relaying import Relaying
from newsletter.ports import ChunkReport, Store
from newsletter.settings.groups import PathSettings, Settings
from newsletter.settings.relays import SmtpSettings
from newsletter.store import open_store
from tests.delivery import services
from tests.delivery.fakes import NOW, SENDER, FakeOutbox, delivery, message_for, reader
from tests.token_server import serving

MESSAGE = b"From: papers@example.org\r\nTo: ann@example.org\r\n\r\n.\r\nGr\xc3\xbc\xc3\x9fe --bound\r\n"


@dataclass
class Service:
    """Takes mails as SES and Mailgun do; `answers` come first, one for each request."""

    port: int = 0
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hangs: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)  # who hangs goes on

    async def ses(self, request: Request) -> Response:
        content = json.loads(await request.body())
        (to,) = content["Destination"]["ToAddresses"]
        assert content["FeedbackForwardingEmailAddress"] == SENDER
        return await self._answer(request, to, base64.b64decode(content["Content"]["Raw"]["Data"]), "MessageId")

    async def mailgun(self, request: Request) -> Response:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        parts: Any = BytesParser().parsebytes(head + await request.body()).get_payload()
        fields = {part.get_param("name", header="content-disposition"): part for part in parts}
        assert fields["o:tracking"].get_payload() == "no"
        # The message is a file: what is between its head and the boundary.
        _, _, file = (await request.body()).partition(b"message/rfc822\r\n\r\n")
        message, _, _ = file.rpartition(b"\r\n--")
        return await self._answer(request, fields["to"].get_payload(), message, "id")

    async def _answer(self, request: Request, to: str, message: bytes, name: str) -> Response:
        self.headers.append(dict(request.headers))
        self.arrived.set()
        if self.hangs:
            await self.over.wait()
        if self.answers:
            return self.answers.pop(0)
        self.taken.append((to, message))
        return JSONResponse({name: f"number-{len(self.taken)}"})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    routes = [
        Route("/v2/email/outbound-emails", service.ses, methods=["POST"]),
        Route("/v3/mg.example.org/messages.mime", service.mailgun, methods=["POST"]),
    ]
    async with serving(Starlette(routes=routes)) as port:
        service.port = port
        yield service
        service.over.set()


def alarm_of(store: Store) -> LedgerAlarm:
    return LedgerAlarm(store.alarms, (), lambda: NOW)


class Relays:
    """Makes relays of settings, as the program does."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.closing: list[Any] = []

    async def make(self, kind: str, **changes: Any) -> Relay:
        values: dict[str, Any] = {
            "kind": kind,
            "region": "eu-west-1" if kind == "ses" else "eu",
            "endpoint": f"http://127.0.0.1:{self.service.port}",
            "username": "AKID" if kind == "ses" else "mg.example.org",
            "password": "opensesame",
            "timeout": 2.0,
        }
        smtp = SmtpSettings(**values | changes)
        settings = Settings(smtp=smtp, paths=PathSettings(state=self.folder))
        store = await open_store("sqlite://")
        self.closing.append(store.close)
        (relay,) = Relaying(settings, store, lambda: NOW, self.closing.append, alarm_of(store)).relays
        return relay


@pytest.fixture
async def relays(service: Service, tmp_path: Path) -> AsyncIterator[Relays]:
    relays = Relays(service, tmp_path)
    yield relays
    for close in reversed(relays.closing):
        await close()


async def hand_over(relay: Relay, recipient: str = "ann@example.org") -> Outcome:
    session = await relay.connect()
    return await session.hand_over(Letter(SENDER, recipient, (MESSAGE[:20], MESSAGE[20:])))


@pytest.mark.parametrize("kind", ["ses", "mailgun"])
async def test_a_mail_is_handed_over_as_it_is(service: Service, relays: Relays, kind: str) -> None:
    relay = await relays.make(kind)
    outcome = await hand_over(relay, "ann@bücher.example")
    assert outcome == Outcome(
        state=DeliveryState.SENT, code=200, text="number-1", relay=f"127.0.0.1:{service.port}"
    )
    assert service.taken == [("ann@xn--bcher-kva.example", MESSAGE)]
    login = service.headers[0]["authorization"]
    if kind == "ses":
        assert login.startswith("AWS4-HMAC-SHA256 Credential=AKID/20260312/eu-west-1/ses/aws4_request, ")
        assert service.headers[0]["x-amz-date"] == "20260312T080000Z"
    else:
        assert login == f"Basic {base64.b64encode(b'api:opensesame').decode()}"


async def test_an_issue_goes_out_over_it(service: Service, relays: Relays) -> None:
    outbox = FakeOutbox(delivery(key, reader(key)) for key in range(1, 31))
    report = await services.process(outbox, await relays.make("ses")).deliver(message_for)
    assert report == ChunkReport(sent=30)
    assert sorted(to for to, _ in service.taken) == sorted(reader(key) for key in range(1, 31))


def said(kind: str, text: str) -> tuple[dict[str, str], dict[str, str]]:
    return {"message": text}, {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/"}


@pytest.mark.parametrize(
    ("kind", "status", "content", "headers", "error", "says"),
    [
        ("ses", 403, *said("SignatureDoesNotMatch", "no"), RelaySetupError, "check NEWSLETTER_SMTP__USERNAME"),
        ("ses", 400, *said("MessageRejected", "Email address is not verified."), RelaySetupError, "not verified"),
        ("ses", 400, *said("SendingPausedException", "paused"), RelayError, "SendingPausedException paused"),
        ("ses", 429, *said("TooManyRequestsException", "Maximum sending rate"), RelayError, "429 TooMany"),
        ("mailgun", 401, {"message": "Forbidden"}, {}, RelaySetupError, "NEWSLETTER_SMTP__PASSWORD"),
        ("mailgun", 404, {"message": "Domain not found: mg"}, {}, RelaySetupError, "NEWSLETTER_SMTP__REGION"),
        ("mailgun", 500, {}, {}, RelayError, "500"),
    ],
)
async def test_trouble_of_ours_or_the_relays_is_no_readers(
    service: Service, relays: Relays, kind: str, status: int, content: Any, headers: Any, error: Any, says: str
) -> None:
    service.answers = [JSONResponse(content, status, headers)]
    with pytest.raises(error, match=says) as raised:
        await hand_over(await relays.make(kind))
    assert type(raised.value) is error
    assert "opensesame" not in str(raised.value)


async def test_another_refusal_may_be_the_readers(service: Service, relays: Relays) -> None:
    words = "to parameter is not a valid address.\r\nplease check"
    service.answers = [JSONResponse({"message": words}, 400)]
    outcome = await hand_over(await relays.make("mailgun"))
    assert (outcome.state, outcome.doubt, outcome.code) == (DeliveryState.REFUSED, Doubt.SOME, 400)
    assert outcome.text == "to parameter is not a valid address. please check"
    unreachable = await hand_over(await relays.make("mailgun"), "jürgen@example.org")
    assert unreachable.state is DeliveryState.REFUSED
    assert unreachable.text.endswith("does not take non-ASCII addresses")


async def test_a_relay_that_asks_to_wait_is_left_alone_for_so_long(service: Service, relays: Relays) -> None:
    outbox = FakeOutbox([delivery(1, reader(1))])
    relay = await relays.make("mailgun")
    working = services.service(outbox, relay)
    service.answers = [JSONResponse({"message": "slow down"}, 429, {"Retry-After": "120"})]
    async with working:
        first = await working.deliver_chunk(7, message_for)
        second = await working.deliver_chunk(7, message_for)
    assert "429 slow down" in first.trouble
    assert (first.returned, second.sent, len(service.headers)) == (1, 0, 1)
    assert outbox.rows[1].state is DeliveryState.QUEUED


async def test_a_relay_that_never_answers_may_have_the_mail(service: Service, relays: Relays) -> None:
    service.hangs = True
    outcome = await hand_over(await relays.make("ses", timeout=0.3))
    assert (outcome.state, outcome.relay) == (DeliveryState.UNCERTAIN, f"127.0.0.1:{service.port}")

    session = await (await relays.make("ses")).connect()
    service.arrived.clear()
    handing = asyncio.create_task(session.hand_over(Letter(SENDER, "ann@example.org", (MESSAGE,))))
    await service.arrived.wait()
    await session.close()
    assert (await handing).text.endswith("closed by us")
    assert session.spent


async def test_a_relay_that_cannot_be_reached_has_nothing(relays: Relays) -> None:
    relay = await relays.make("ses", endpoint="http://127.0.0.1:9")
    with pytest.raises(RelayError, match=r"cannot connect to 127\.0\.0\.1:9: "):
        await hand_over(relay)


KEY = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(  # of AWS's test suite for Signature Version 4
    ("method", "headers", "body", "names", "signature"),
    [
        ("GET", {}, b"", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", {}, b"", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            *("POST", FORM, b"Param1=value1", "content-type;host;x-amz-date"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_requests_are_signed_as_aws_says(
    method: str, headers: dict[str, str], body: bytes, names: str, signature: str
) -> None:
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    made = signed(KEY, method, "https://example.amazonaws.com/", headers, body, now)
    assert made["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )

"""What services tell by webhooks: whether it is theirs, and what it means."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.bounces import EventKind, FoundBy
from newsletter.core.errors import NewsletterError, SourceError
from newsletter.inbound.webhooks.brevo import Brevo
from newsletter.inbound.webhooks.generic import Generic
from newsletter.inbound.webhooks.mailgun import Mailgun
from newsletter.inbound.webhooks.postmark import Postmark
from newsletter.inbound.webhooks.resend import Resend
from newsletter.inbound.webhooks.services import Webhooks
from newsletter.inbound.webhooks.ses import Ses
from newsletter.inbound.webhooks.sns import Sns
from newsletter.ports import ForgedError
from tests.inbound import hooks
from tests.inbound.corpus import DELIVERY, LINKS, READER
from tests.inbound.hooks import HOOKS, NOW, Hook, Request, request, sns


class Amazon:
    """Stands for the hosts of SNS: answers with a certificate, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.certificate = hooks.certificate()

    async def fetch(self, url: str) -> str:
        self.asked.append(url)
        if not self.certificate:
            raise SourceError("sns: answered 500")
        return self.certificate


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
def services(amazon: Amazon) -> Webhooks:
    return Webhooks(
        [
            Ses(LINKS, Sns({hooks.TOPIC}, amazon.fetch)),
            Mailgun(LINKS, hooks.MAILGUN_KEY),
            Postmark(LINKS, hooks.POSTMARK_LOGIN),
            Brevo(LINKS, hooks.BREVO_TOKEN),
            Resend(LINKS, f"whsec_{b64encode(hooks.RESEND_KEY).decode()}"),
            Generic(LINKS, hooks.GENERIC_SECRET),
        ]
    )


async def read(services: Webhooks, service: str, sent: Request, *, later: timedelta = timedelta()) -> list[Any]:
    return list(await services.read(service, sent.headers, sent.body, now=NOW + later))


def first_of(service: str) -> Hook:
    return next(hook for hook in HOOKS if hook.service == service)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: f"{hook.service}: {hook.name}")
async def test_what_a_service_tells_is_understood(services: Webhooks, hook: Hook) -> None:
    events = await read(services, hook.service, request(hook))
    if hook.kind is None:
        assert events == []
        return
    [event] = events
    assert (event.kind, event.found_by, event.source) == (hook.kind, hook.found_by, hook.service)
    assert event.delivery_key == (None if hook.found_by is FoundBy.NOTHING else DELIVERY)
    assert (event.address, event.is_vouched) == (READER, True)


@pytest.mark.parametrize("service", ["ses", "mailgun", "postmark", "brevo", "resend", "generic"])
async def test_what_a_service_did_not_sign_is_forged(services: Webhooks, service: str) -> None:
    sent = request(first_of(service))
    unsigned = {name: value for name, value in sent.headers.items() if name == "content-type"}
    altered = sent.body.replace(b'"signature": "', b'"signature": "0').replace(b"5.1.1", b"5.1.2")
    with pytest.raises(ForgedError):
        await read(
            services, service, Request(altered, {**unsigned, "authorization": "Basic !", "svix-id": "msg_1"})
        )


@pytest.mark.parametrize(("service", "late"), [("mailgun", timedelta(hours=13)), ("resend", timedelta(minutes=6))])
async def test_what_was_signed_at_another_time_is_forged(
    services: Webhooks, service: str, late: timedelta
) -> None:
    for later in (late, -late):
        with pytest.raises(ForgedError, match="another time"):
            await read(services, service, request(first_of(service)), later=later)


async def test_events_that_come_twice_have_the_same_id_and_others_another(services: Webhooks) -> None:
    ids = []
    for hook in [hook for hook in HOOKS if hook.kind is not None]:
        [once] = await read(services, hook.service, request(hook))
        [twice] = await read(services, hook.service, request(hook))
        assert (once.id, once.once) == (twice.id, twice.once)
        ids.append((hook.service, once.id, hook.content))
    by_id = {id_ for service, id_, _ in ids if service in {"ses", "brevo", "mailgun"}}
    assert len(by_id) == len([1 for service, *_ in ids if service in {"ses", "brevo", "mailgun"}])


async def test_a_token_of_mailgun_goes_with_its_event_so_that_no_other_can_use_it(services: Webhooks) -> None:
    [event] = await read(services, "mailgun", request(first_of("mailgun"), number="abc"))
    assert event.once == "mailgun:token-abc"


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:bounces"},
        {
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789.pem"
        },
        {
            "SigningCertURL": "https://evil.example@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789.pem"
        },
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"},
        {
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem"
        },
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/?Action=GetTopic"},
        {"SigningCertURL": "https://[sns/x.pem"},
        {"Type": "UnsubscribeConfirmation"},
    ],
)
async def test_only_topics_of_ours_are_heard_and_nobody_but_sns_is_asked(
    services: Webhooks, amazon: Amazon, changes: dict[str, str]
) -> None:
    with pytest.raises(ForgedError):
        await read(services, "ses", Request(sns({}, **changes)))
    assert amazon.asked == []


async def test_a_certificate_is_fetched_once_and_one_that_cannot_be_had_is_left_alone(
    services: Webhooks, amazon: Amazon
) -> None:
    amazon.certificate = ""
    for _ in range(3):
        with pytest.raises(NewsletterError, match="no certificate"):
            await read(services, "ses", request(first_of("ses")))
    assert amazon.asked == [hooks.CERTIFICATE]
    amazon.certificate = hooks.certificate()
    for number in range(3):
        await read(services, "ses", request(first_of("ses"), number=str(number)), later=timedelta(minutes=11))
    assert amazon.asked == [hooks.CERTIFICATE] * 2


async def test_a_message_is_checked_with_the_hash_that_its_version_names_and_a_valid_certificate(
    services: Webhooks, amazon: Amazon
) -> None:
    assert await read(services, "ses", Request(sns({}, SignatureVersion="1"))) == []
    with pytest.raises(ForgedError, match="signature"):
        await read(
            services, "ses", Request(sns({}).replace(b'"SignatureVersion": "2"', b'"SignatureVersion": "1"'))
        )
    with pytest.raises(ForgedError, match="another time"):
        await read(services, "ses", Request(sns({})), later=timedelta(days=400))


async def test_a_subscription_to_a_topic_of_ours_is_confirmed_at_sns_and_nowhere_else(
    services: Webhooks, amazon: Amazon
) -> None:
    there = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
    asked = {"kind": "SubscriptionConfirmation", "Token": "abc"}
    assert await read(services, "ses", Request(sns({}, **asked, SubscribeURL=there))) == []
    assert amazon.asked == [hooks.CERTIFICATE, there]
    with pytest.raises(ForgedError, match="not at SNS"):
        await read(services, "ses", Request(sns({}, **asked, SubscribeURL="https://169.254.169.254/")))
    assert amazon.asked == [hooks.CERTIFICATE, there]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b"[" * 100_000, b"\xff", b'{"signature": 5}'])
async def test_a_body_of_any_other_kind_says_nothing(services: Webhooks, body: bytes) -> None:
    for service in services.services:
        with suppress(ForgedError, ValueError):
            assert await read(services, service, Request(body, request(first_of(service)).headers)) == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"kind": "hard"}, "event 1: id is missing"),
        ({"id": "1", "kind": "odd"}, "event 1: kind is none of bounce,"),
    ],
)
async def test_a_program_of_ones_own_is_told_what_is_wrong(services: Webhooks, event: Any, said: str) -> None:
    wrong = replace(first_of("generic"), content={"events": [event]})
    with pytest.raises(ValueError, match=said):
        await read(services, "generic", request(wrong))


async def test_values_of_any_type_and_length_are_read_as_what_they_can_be(services: Webhooks) -> None:
    content = json.loads(request(first_of("postmark")).body)
    odd = {
        **content,
        "ID": "x" * 100_000,
        "Email": ["a", {}],
        "Details": {"a": 1},
        "Content": 5,
        "Type": "Unheard",
    }
    [event] = await read(services, "postmark", request(replace(first_of("postmark"), content=odd)))
    assert (event.kind, event.address, len(event.id) < 300) == (EventKind.SOFT, "", True)

"""Messages of services, written by us in their shapes and signed as they sign, and what each of them means."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from newsletter.core.bounces import EventKind, FoundBy
from tests.inbound.corpus import MARK, READER, VERP

NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
MAILGUN_KEY, POSTMARK_LOGIN, BREVO_TOKEN = "key-of-mailgun", "postmark:opensesame", "a token of sixteen letters"
RESEND_KEY, GENERIC_SECRET = b"a key of resend for our tests", "a secret of our own program"
MESSAGE_ID = f"20260312.{MARK}@example.org"


@dataclass(frozen=True, slots=True)
class Hook:
    """A message of a service and what it means; None: nothing that came back."""

    name: str
    service: str
    content: Mapping[str, Any] | list[Any]
    kind: EventKind | None
    found_by: FoundBy = FoundBy.MESSAGE_ID


@dataclass(frozen=True, slots=True)
class Request:
    """What a service sends."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def request(hook: Hook, *, at: datetime = NOW, number: str = "1") -> Request:
    """Return the message of a service as it sends and signs it."""
    return _SIGN[hook.service](hook.content, at, number)


def sns(content: Mapping[str, Any], *, kind: str = "Notification", **changes: str) -> bytes:
    """Return a message of SNS, signed with version 2; what is changed is signed, too."""
    fields = {
        "Type": kind,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": json.dumps(content),
        "Timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S.000Z}",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **changes,
    }
    names = sorted(name for name in fields if name not in {"SignatureVersion", "SigningCertURL"})
    signed = "".join(f"{name}\n{fields[name]}\n" for name in names).encode()
    digest = hashes.SHA256() if fields["SignatureVersion"] == "2" else hashes.SHA1()  # noqa: S303 (SNS signs so)
    signature = _key().sign(signed, padding.PKCS1v15(), digest)
    return json.dumps({**fields, "Signature": b64encode(signature).decode()}).encode()


@lru_cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache
def certificate(*, until: datetime = NOW + timedelta(days=300)) -> str:
    """Return the certificate of SNS's key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(name, name, _key().public_key(), 1, NOW - timedelta(days=400), until)
    return made.sign(_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _ses(content: Any, at: datetime, number: str) -> Request:
    return Request(sns(content, MessageId=f"m-{number}"), {"content-type": "text/plain; charset=UTF-8"})


def _mailgun(content: Any, at: datetime, number: str) -> Request:
    stamp, token = str(int(at.timestamp())), f"token-{number}"
    mac = hmac.new(MAILGUN_KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": stamp, "token": token, "signature": mac}
    return Request(json.dumps({"signature": signature, "event-data": content}).encode())


def _postmark(content: Any, at: datetime, number: str) -> Request:
    login = b64encode(POSTMARK_LOGIN.encode()).decode()
    return Request(json.dumps(content).encode(), {"authorization": f"Basic {login}"})


def _brevo(content: Any, at: datetime, number: str) -> Request:
    return Request(json.dumps(content).encode(), {"authorization": f"Bearer {BREVO_TOKEN}"})


def _resend(content: Any, at: datetime, number: str) -> Request:
    body, stamp = json.dumps(content).encode(), str(int(at.timestamp()))
    mac = hmac.new(RESEND_KEY, f"msg_{number}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,bm90IHRoaXMgb25l v1,{b64encode(mac).decode()}"
    return Request(body, {"svix-id": f"msg_{number}", "svix-timestamp": stamp, "svix-signature": signature})


def _generic(content: Any, at: datetime, number: str) -> Request:
    body = json.dumps(content).encode()
    mac = hmac.new(GENERIC_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Request(body, {"x-newsletter-signature": f"sha256={mac}"})


_SIGN: Mapping[str, Callable[[Any, datetime, str], Request]] = {
    "ses": _ses,
    "mailgun": _mailgun,
    "postmark": _postmark,
    "brevo": _brevo,
    "resend": _resend,
    "generic": _generic,
}


def _bounce_of_ses(kind: str, of: str, **recipient: str) -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": of,
            "bouncedRecipients": [{"emailAddress": READER, **recipient}],
            "feedbackId": f"f-{kind}-{of}-{recipient.get('status')}",
        },
        "mail": {"source": VERP, "messageId": "0100018f-ses", "destination": [READER]},
    }


def _failure_of_mailgun(severity: str, code: str, said: str, **more: str) -> dict[str, Any]:
    return {
        "event": "failed",
        "severity": severity,
        "reason": "bounce",
        "id": f"event-{code}-{severity}",
        "recipient": READER,
        "delivery-status": {"code": 550, "enhanced-code": code, "message": said},
        "message": {"headers": {"message-id": MESSAGE_ID, "to": READER}},
        **more,
    }


def _bounce_of_postmark(kind: str, said: str, **more: Any) -> dict[str, Any]:
    return {"RecordType": "Bounce", "ID": 4711, "Type": kind, "Email": READER, "Details": said, **more}


def _event_of_brevo(event: str, reason: str = "") -> dict[str, Any]:
    return {
        "event": event,
        "email": READER,
        "id": 26,
        "ts_event": 1773302400,
        "message-id": f"<{MESSAGE_ID}>",
        "reason": reason,
    }


def _event_of_resend(kind: str, **bounce: str) -> dict[str, Any]:
    data = {"email_id": "e-1", "from": "papers@example.org", "to": [READER], "subject": "Hashing by Hand"}
    return {
        "type": kind,
        "created_at": "2026-03-12T09:00:00Z",
        "data": {**data, "bounce": bounce} if bounce else data,
    }


def _generic_event(kind: str, **more: str) -> dict[str, Any]:
    return {"events": [{"id": "1", "kind": kind, "address": READER, "message_id": MESSAGE_ID, **more}]}


_K, _E = EventKind, FoundBy.ENVELOPE
_COMPLAINT_OF_SES = {
    "eventType": "Complaint",
    "complaint": {
        "complainedRecipients": [{"emailAddress": READER}],
        "complaintFeedbackType": "abuse",
        "feedbackId": "f",
    },
    "mail": {"source": "papers@example.org", "headers": [{"name": "X-Newsletter-Delivery", "value": MARK}]},
}

HOOKS: tuple[Hook, ...] = (
    Hook(
        "no such mailbox",
        "ses",
        _bounce_of_ses("Permanent", "General", status="5.1.1", diagnosticCode="smtp; 550 5.1.1 user unknown"),
        _K.HARD,
        _E,
    ),
    Hook("bounced before", "ses", _bounce_of_ses("Permanent", "OnAccountSuppressionList"), _K.HARD, _E),
    Hook("mailbox full", "ses", _bounce_of_ses("Transient", "MailboxFull", status="4.2.2"), _K.SOFT, _E),
    Hook("too large", "ses", _bounce_of_ses("Transient", "MessageTooLarge", status="5.3.4"), _K.OURS, _E),
    Hook(
        "given up",
        "ses",
        _bounce_of_ses("Transient", "General", status="4.4.7", diagnosticCode="smtp; 550 4.4.7 Message expired"),
        _K.EXPIRED,
        _E,
    ),
    Hook("out of office", "ses", _bounce_of_ses("Transient", "General"), _K.NOTHING, _E),
    Hook("a complaint", "ses", _COMPLAINT_OF_SES, _K.COMPLAINT, FoundBy.HEADER),
    Hook("delivered", "ses", {"notificationType": "Delivery", "mail": {"source": VERP}}, None),
    Hook("no such mailbox", "mailgun", _failure_of_mailgun("permanent", "5.1.1", "no such user"), _K.HARD),
    Hook("over quota", "mailgun", _failure_of_mailgun("permanent", "5.2.2", "over quota"), _K.SOFT),
    Hook("it tries again", "mailgun", _failure_of_mailgun("temporary", "4.2.1", "try later"), _K.NOTHING),
    Hook("bounced before", "mailgun", _failure_of_mailgun("permanent", "", "", reason="suppress-bounce"), _K.HARD),
    Hook(
        "a complaint",
        "mailgun",
        {"event": "complained", "id": "c", "recipient": READER, "envelope": {"sender": VERP}},
        _K.COMPLAINT,
        _E,
    ),
    Hook("opened", "mailgun", {"event": "opened", "id": "o", "recipient": READER}, None),
    Hook(
        "no such mailbox",
        "postmark",
        _bounce_of_postmark("HardBounce", "smtp;550 5.1.1 unknown"),
        _K.HARD,
        FoundBy.NOTHING,
    ),
    Hook(
        "a dump with our header",
        "postmark",
        _bounce_of_postmark(
            "HardBounce", "no", Content=f"Return-Path: <x@y.example>\r\nX-Newsletter-Delivery: {MARK}\r\n"
        ),
        _K.HARD,
        FoundBy.HEADER,
    ),
    Hook(
        "mailbox full",
        "postmark",
        _bounce_of_postmark("SoftBounce", "smtp;552 5.2.2 mailbox full"),
        _K.SOFT,
        FoundBy.NOTHING,
    ),
    Hook("out of office", "postmark", _bounce_of_postmark("AutoResponder", "away"), _K.NOTHING, FoundBy.NOTHING),
    Hook("spam", "postmark", _bounce_of_postmark("SpamNotification", "spam"), _K.OURS, FoundBy.NOTHING),
    Hook(
        "a complaint",
        "postmark",
        {"RecordType": "SpamComplaint", "ID": 9, "Email": READER},
        _K.COMPLAINT,
        FoundBy.NOTHING,
    ),
    Hook(
        "left there",
        "postmark",
        {"RecordType": "SubscriptionChange", "Recipient": READER, "SuppressionReason": "ManualSuppression"},
        _K.UNSUBSCRIBE,
        FoundBy.NOTHING,
    ),
    Hook("opened", "postmark", {"RecordType": "Open", "Recipient": READER}, None),
    Hook("no such mailbox", "brevo", _event_of_brevo("hard_bounce", "550 5.1.1 user unknown"), _K.HARD),
    Hook("mailbox full", "brevo", _event_of_brevo("soft_bounce", "452 4.2.2 mailbox full"), _K.SOFT),
    Hook("blocked", "brevo", _event_of_brevo("blocked"), _K.OURS),
    Hook("several at once", "brevo", [_event_of_brevo("spam")], _K.COMPLAINT),
    Hook("opened", "brevo", _event_of_brevo("opened"), None),
    Hook(
        "no such mailbox",
        "resend",
        _event_of_resend("email.bounced", type="Permanent", subType="General", message="mailbox does not exist"),
        _K.HARD,
        FoundBy.NOTHING,
    ),
    Hook(
        "mailbox full",
        "resend",
        _event_of_resend("email.bounced", type="Transient", subType="MailboxFull", message="mailbox full"),
        _K.SOFT,
        FoundBy.NOTHING,
    ),
    Hook("a complaint", "resend", _event_of_resend("email.complained"), _K.COMPLAINT, FoundBy.NOTHING),
    Hook("sent", "resend", _event_of_resend("email.sent"), None),
    Hook("by its words", "generic", _generic_event("bounce", status="5.1.1", text="no"), _K.HARD),
    Hook("by its kind", "generic", _generic_event("complaint", envelope_sender=VERP), _K.COMPLAINT, _E),
)

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from newsletter.core.webhook_signatures import read_secret, signature

KEYS = st.binary(min_size=24, max_size=64)


@given(
    KEYS,
    st.text("abcdef0123456789_", min_size=1),
    st.binary(max_size=200).map(lambda body: b'"%s"' % body.hex().encode()),
)
def test_the_library_of_the_specification_accepts_what_is_signed(key: bytes, number: str, body: bytes) -> None:
    secret, at = "whsec_" + b64encode(key).decode(), str(int(datetime.now(UTC).timestamp()))
    headers = {"webhook-id": number, "webhook-timestamp": at}
    signed = {**headers, "webhook-signature": signature(read_secret(secret), number, at, body)}

    Webhook(secret).verify(body, signed)

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", signed)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "is no secret of a webhook"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is no secret of a webhook"),
        ("whsec_not base64!", "is no base64"),
        ("whsec_" + b64encode(b"short").decode(), "of 5 bytes, and must have 24 to 64"),
        ("whsec_" + b64encode(bytes(65)).decode(), "of 65 bytes"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_shown(secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        read_secret(secret)

    assert len(secret) < 7 or secret[6:] not in str(refused.value)

"""Signatures of webhooks: Standard Webhooks, v1 (https://www.standardwebhooks.com), as Svix signs, too."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes, by the specification: "Symmetric signatures"


def read_secret(text: str) -> bytes:
    """Return the key that a secret, `whsec_…`, stands for.

    Raises:
        ValueError: it is none; says what to write, and nothing of the secret.
    """
    advice = f"write {PREFIX} and what `openssl rand -base64 32` prints"
    if not text.startswith(PREFIX):
        raise ValueError(f"is no secret of a webhook: {advice}")
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        raise ValueError(f"is no secret of a webhook, as what follows {PREFIX} is no base64: {advice}") from None
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"is a secret of {len(key)} bytes, and must have {_SHORTEST} to {_LONGEST}: {advice}")
    return key


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message, `v1,…`: the HMAC-SHA256 of its id, time (Unix, seconds) and body."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"

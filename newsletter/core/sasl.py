"""Logins with an access token: what a client says (SASL). Pure.

XOAUTH2 has no RFC: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol, and
https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth.
OAUTHBEARER is RFC 7628.
"""

from __future__ import annotations

import base64
import binascii
import json

from newsletter.core.text import one_line

XOAUTH2, OAUTHBEARER = "xoauth2", "oauthbearer"
_MOST_SAID = 200  # characters


def first_words(mechanism: str, *, username: str, token: str, host: str, port: int) -> bytes:
    """Return what a client says first, before it is encoded for the protocol.

    Args:
        mechanism: `XOAUTH2` or `OAUTHBEARER`.
        username: whose mailbox it is.
        token: the access token.
        host: the server, as it is reached.
        port: its port.
    """
    if mechanism == XOAUTH2:
        return f"user={username}\x01auth=Bearer {token}\x01\x01".encode()
    name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, 4
    return f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01".encode()


def last_words(mechanism: str) -> bytes:
    """Return what a client says when a server has told its reason, so that it ends the login: before encoding."""
    return b"" if mechanism == XOAUTH2 else b"\x01"  # RFC 7628, 3.2.3


def told_reason(challenge: str) -> str:
    """Return what a server said instead of letting us in, such as `401 invalid_token`; nothing if it says nothing.

    Args:
        challenge: JSON in Base64.
    """
    try:
        content = json.loads(base64.b64decode(challenge.strip(), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    words = (content.get(name) for name in ("status", "error", "error_description"))
    return one_line(" ".join(str(word) for word in words if word), _MOST_SAID)

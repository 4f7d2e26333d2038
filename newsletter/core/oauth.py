"""Access tokens by OAuth 2.0 (RFC 6749): how they are asked for, and what the answers mean. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import urlencode

from newsletter.core.errors import TokenError
from newsletter.core.text import one_line

_LIFETIME = 3600.0  # seconds, where an answer says nothing of it (RFC 6749, 5.1, leaves that to the server)
_LONGEST_LIFETIME = 24 * 3600.0
_MARGIN = 300.0  # seconds before its end from which on a token is not used any more …
_SHARE = 0.25  # … or this share of its life, if that is less
_MOST_SAID = 300  # characters of an error
_LONGEST_TOKEN = 16_384
_LATER = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_HIDDEN = "…"
# Statuses (RFC 9110, 15).
_OK, _SERVER_ERROR = 200, 500
_TRY_AGAIN = frozenset({408, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClient:
    """Whom we are known as to an authorization server, and what we ask of it.

    With a refresh token, tokens are asked for in the name of the person who signed in (RFC 6749, 6); without one,
    in our own name, by client credentials (4.4). The names of the operator's settings begin with `settings`.
    """

    url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""
    settings: str = ""

    def setting(self, name: str) -> str:
        """Return what the operator knows a setting by."""
        return f"{self.settings}{name.upper() if self.settings.isupper() else name}"

    def form(self, refresh_token: str) -> bytes:
        """Return the body of a request, a form; `refresh_token` may have replaced the one of the settings."""
        fields = {"client_id": self.client_id, "client_secret": self.client_secret, "scope": self.scope}
        if refresh_token:
            fields |= {"grant_type": "refresh_token", "refresh_token": refresh_token}
        else:
            fields |= {"grant_type": "client_credentials"}
        return urlencode({name: value for name, value in fields.items() if value}).encode()

    def without_secrets(self, text: str, *more: str) -> str:
        """Return a text in which no secret of ours stands, nor any of `more`."""
        for secret in (self.client_secret, self.refresh_token, *more):
            if secret:
                text = text.replace(secret, _HIDDEN)
        return text


class AccessToken(NamedTuple):
    """A token, how many seconds it may be used, and the refresh token that replaces the former one, or nothing."""

    value: str
    seconds: float
    refresh_token: str = ""


def read_token(client: TokenClient, refresh_token: str, status: int, body: bytes) -> AccessToken:
    """Return the token of an answer (RFC 6749, 5.1).

    Args:
        client: who asked.
        refresh_token: with which.
        status: the status of the answer.
        body: the answer, as much of it as was read.

    Raises:
        TokenError: there is none (5.2); says what to do. No secret stands in it.
    """
    content = _object(body)
    if status == _OK:
        value = content.get("access_token")
        if not _is_token(value):
            raise TokenError(f"{_host(client)} answered without an access token", is_final=False)
        if len(value) > _LONGEST_TOKEN:
            raise TokenError(f"{_host(client)} answered with a token that is too long", is_final=False)
        replaced = content.get("refresh_token")
        next_one = replaced if _is_token(replaced) and len(replaced) <= _LONGEST_TOKEN else ""
        return AccessToken(value, _usable(content.get("expires_in")), next_one)
    code, description = (str(content.get(name) or "") for name in ("error", "error_description"))
    said = one_line(client.without_secrets(f"{code} {description}", refresh_token).strip(), _MOST_SAID)
    told = f"{_host(client)} gives no access token: {status} {said}".rstrip()
    if status >= _SERVER_ERROR or status in _TRY_AGAIN or code in _LATER:
        raise TokenError(told, is_final=False)
    raise TokenError(f"{told}; {_advice(client, code)}", is_final=True)


def _is_token(value: Any) -> TypeGuard[str]:
    """Return whether a value of an answer has only letters that a token may have (RFC 6749, A.12 and A.17)."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value.strip())


def _advice(client: TokenClient, code: str) -> str:
    match code:
        case "invalid_grant" if client.refresh_token:
            return (
                f"the refresh token has ended or was taken back: sign in once more, and set "
                f"{client.setting('refresh_token')} to the new one (docs/relays.md)"
            )
        case "invalid_client" | "unauthorized_client":
            names = f"{client.setting('client_id')} and {client.setting('client_secret')}"
            return f"check {names}; a client secret may have ended"
        case "invalid_scope":
            return f"check {client.setting('scope')}"
    return f"check the settings {client.settings}…"


def _usable(lifetime: Any) -> float:
    """Return for how many seconds a token may be used, by what an answer says of its life."""
    try:
        seconds = min(max(float(lifetime), 1.0), _LONGEST_LIFETIME)
    except (TypeError, ValueError, OverflowError):
        seconds = _LIFETIME
    if seconds != seconds:  # noqa: PLR0124 (not a number)
        seconds = _LIFETIME
    return seconds - min(_MARGIN, _SHARE * seconds)


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _host(client: TokenClient) -> str:
    return client.url.split("/")[2].rpartition("@")[2]

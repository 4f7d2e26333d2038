"""The links that a mail carries to the public pages, and their signed tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeSerializer

if TYPE_CHECKING:
    from datetime import date

_UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links.

    `public_url` is where readers reach the web pages, without a slash at the end; `secret_key` signs tokens
    (HMAC, compared in constant time by itsdangerous). A token names a subscriber by number and tells no address.
    """

    public_url: str
    secret_key: str

    def _serializer(self, salt: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret_key, salt=salt)

    def unsubscribe(self, subscriber_key: int) -> str:
        """Return the link that takes a subscriber off a list: GET asks, POST does it (RFC 8058)."""
        return f"{self.public_url}/unsubscribe/{self._serializer(_UNSUBSCRIBE).dumps(subscriber_key)}"

    def read_unsubscribe(self, token: str) -> int | None:
        """Return the subscriber's number that a token was signed for, or None if it wasn't signed by us."""
        try:
            key = self._serializer(_UNSUBSCRIBE).loads(token)
        except BadSignature:
            return None
        return key if isinstance(key, int) else None

    def issue(self, list_name: str, day: date) -> str:
        """Return the web version of an issue."""
        return f"{self.public_url}/{list_name}/{day.isoformat()}"

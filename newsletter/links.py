"""The links that a mail carries to the public pages, the address it comes back to, and their signed tokens."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeSerializer

if TYPE_CHECKING:
    from datetime import date

_UNSUBSCRIBE = "unsubscribe"
_BOUNCE = re.compile(r"\+(\d{1,18})-([0-9a-f]{16})@")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links.

    `public_url` is where readers reach the web pages, without a slash at the end; `secret_key` signs tokens
    (HMAC, compared in constant time by itsdangerous). A token names a subscriber by number and tells no address.
    """

    public_url: str
    secret_key: str

    def unsubscribe(self, subscriber_key: int) -> str:
        """Return the link that takes a subscriber off a list: GET asks, POST does it (RFC 8058)."""
        return f"{self.public_url}/unsubscribe/{_serializer(self.secret_key, _UNSUBSCRIBE).dumps(subscriber_key)}"

    def read_unsubscribe(self, token: str) -> int | None:
        """Return the subscriber's number that a token was signed for, or None if it wasn't signed by us."""
        try:
            key = _serializer(self.secret_key, _UNSUBSCRIBE).loads(token)
        except BadSignature:
            return None
        return key if isinstance(key, int) else None

    def bounce_address(self, mailbox: str, delivery_key: int) -> str:
        """Return a delivery's own envelope sender within `mailbox` (VERP): what comes back tells whose it is.

        Relays on the way may change the case of letters, so it has small ones only.
        """
        local, _, domain = mailbox.rpartition("@")
        return f"{local}+{delivery_key}-{self._proof(delivery_key)}@{domain}"

    def read_bounce_address(self, address: str) -> int | None:
        """Return the number of the delivery that an envelope sender was made for, or None if not by us."""
        found = _BOUNCE.search(address.lower())
        if found is None or not hmac.compare_digest(found[2], self._proof(int(found[1]))):
            return None
        return int(found[1])

    def _proof(self, delivery_key: int) -> str:
        return hmac.digest(self.secret_key.encode(), f"bounce {delivery_key}".encode(), "sha256").hex()[:16]

    def issue(self, list_name: str, day: date) -> str:
        """Return the web version of an issue."""
        return f"{self.public_url}/{list_name}/{day.isoformat()}"


@lru_cache(maxsize=8)
def _serializer(secret_key: str, salt: str) -> URLSafeSerializer:
    """Return what signs; it is made once, for it is asked for each reader."""
    return URLSafeSerializer(secret_key, salt=salt)

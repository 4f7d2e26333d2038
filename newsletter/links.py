"""The links that a mail carries to the public pages, the address it comes back to, and their signed tokens."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

_BYTES = 18  # of a signature; as text 24 characters without padding
_UNSUBSCRIBE = re.compile(r"([1-9]\d{0,17})\.([\w-]{24})", re.ASCII)
_BOUNCE = re.compile(r"\+(\d{1,18})-([0-9a-f]{16})@")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links.

    `public_url` is where readers reach the web pages, without a slash at the end; `secret_key` signs tokens
    (BLAKE2b as a keyed hash, RFC 7693; compared in constant time). A token names a subscriber by number and tells
    no address. Each message needs one or two, so they must cost next to nothing: HMAC by OpenSSL takes longer, and
    lets go of the interpreter for another thread.
    """

    public_url: str
    secret_key: str

    def unsubscribe(self, subscriber_key: int) -> str:
        """Return the link that takes a subscriber off a list: GET asks, POST does it (RFC 8058)."""
        return f"{self.public_url}/unsubscribe/{subscriber_key}.{self._signature(subscriber_key)}"

    def read_unsubscribe(self, token: str) -> int | None:
        """Return the subscriber's number that a token was signed for, or None if it wasn't signed by us."""
        found = _UNSUBSCRIBE.fullmatch(token)
        if found is None or not compare_digest(found[2], self._signature(int(found[1]))):
            return None
        return int(found[1])

    def bounce_address(self, mailbox: str, delivery_key: int) -> str:
        """Return a delivery's own envelope sender within `mailbox` (VERP): what comes back tells whose it is.

        Relays on the way may change the case of letters, so it has small ones only.
        """
        local, _, domain = mailbox.rpartition("@")
        return f"{local}+{delivery_key}-{self._proof(delivery_key)}@{domain}"

    def read_bounce_address(self, address: str) -> int | None:
        """Return the number of the delivery that an envelope sender was made for, or None if not by us."""
        found = _BOUNCE.search(address.lower())
        if found is None or not compare_digest(found[2], self._proof(int(found[1]))):
            return None
        return int(found[1])

    def issue(self, list_name: str, day: date) -> str:
        """Return the web version of an issue."""
        return f"{self.public_url}/{list_name}/{day.isoformat()}"

    def _signature(self, subscriber_key: int) -> str:
        return urlsafe_b64encode(self._mac(b"unsubscribe", subscriber_key)).decode()

    def _proof(self, delivery_key: int) -> str:
        return self._mac(b"bounce", delivery_key).hex()[:16]

    def _mac(self, purpose: bytes, number: int) -> bytes:
        key = _key(self.secret_key)
        return blake2b(b"%d" % number, digest_size=_BYTES, key=key, person=purpose).digest()


@lru_cache(maxsize=8)
def _key(secret_key: str) -> bytes:
    """Return a key of a length that BLAKE2b takes."""
    return blake2b(secret_key.encode()).digest()

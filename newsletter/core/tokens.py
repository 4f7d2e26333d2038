"""The links in a mail: to the public pages, or to a mail by which a reader leaves. Those of readers are signed."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from urllib.parse import quote

from newsletter.core.page_names import CITE, FEEDBACK, UNSUBSCRIBE

# Whom the links of test copies and previews are made for: the store gives no subscriber this number.
TEST_COPY = 0
# The last part of the links by which readers say what they think of a paper, and the one that takes it back.
MORE, LESS, UNDO = "more", "less", "undo"

_BYTES = 18  # of a signature; as text 24 characters without padding
_TOKEN = re.compile(r"(0|[1-9]\d{0,17})\.([\w-]{24})", re.ASCII)
# Case and spaces are what mail programs change; the token is all that counts.
_BY_MAIL = re.compile(r"(?<![\w.])([1-9]\d{0,17})\.([0-9a-f]{24})(?![\w.])", re.ASCII | re.IGNORECASE)
_BOUNCE = re.compile(r"\+(\d{1,18})-([0-9a-f]{16})@")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links.

    `public_url` is where readers reach the web pages, without a slash at the end, or empty if they don't; then the
    links to pages are empty, and a mail offers leaving by mail (`way_out`). `secret_key` signs tokens
    (BLAKE2b as a keyed hash, RFC 7693; compared in constant time). A token names a subscriber by number and tells
    no address. Each message needs one or two, so they must cost next to nothing: HMAC by OpenSSL takes longer, and
    lets go of the interpreter for another thread.
    """

    public_url: str
    secret_key: str

    def way_out(self, subscriber_key: int, mailbox: str) -> str:
        """Return the link by which a reader leaves a list: to a page, or else to a mail (RFC 6068).

        Args:
            subscriber_key: whom it takes off.
            mailbox: the address that such a mail goes to.
        """
        if self.public_url:
            return self.unsubscribe(subscriber_key)
        subject = f"unsubscribe {subscriber_key}.{self._mac(b'unsubscribe-mail', subscriber_key).hex()[:24]}"
        return f"mailto:{quote(mailbox, safe='@')}?subject={quote(subject)}"

    def read_unsubscribe_subject(self, subject: str) -> int | None:
        """Return whom the subject of a mail takes off a list, or None if it holds no token of ours.

        Args:
            subject: decoded; what mail programs put around ours, such as `Re:`, does not matter.
        """
        found = _BY_MAIL.search(subject)
        if found is None:
            return None
        key = int(found[1])
        signature = self._mac(b"unsubscribe-mail", key).hex()[:24]
        return key if compare_digest(found[2].lower(), signature) else None

    def unsubscribe(self, subscriber_key: int) -> str:
        """Return the link that takes a subscriber off a list: GET asks, POST does it (RFC 8058)."""
        return f"{self.public_url}/{UNSUBSCRIBE}/{self._token(b'unsubscribe', subscriber_key)}"

    def read_unsubscribe(self, token: str) -> int | None:
        """Return the subscriber's number that a token was signed for, or None if it wasn't signed by us.

        `TEST_COPY` is nobody's.
        """
        return self._read(b"unsubscribe", token)

    def feedback(self, subscriber_key: int, listing_key: int, *, like: bool) -> str:
        """Return the link by which a reader asks for more or less like a paper; empty where there are no pages.

        GET asks, POST does it. It is `feedback_of` and `feedback_about`, one behind the other.
        """
        return (
            f"{own}{feedback_about(listing_key, like=like)}" if (own := self.feedback_of(subscriber_key)) else ""
        )

    def feedback_of(self, subscriber_key: int) -> str:
        """Return the part of these links that is the same for all papers, or nothing where there are no pages.

        A mail has many such links. So a token is signed once for each reader, and what differs between papers,
        `feedback_about`, is the same for all readers: it can be rendered with the paper. The token allows to speak
        for that reader, and of papers in issues of that reader's list alone.
        """
        return (
            f"{self.public_url}/{FEEDBACK}/{self._token(b'feedback', subscriber_key)}" if self.public_url else ""
        )

    def read_feedback(self, token: str) -> int | None:
        """Return the subscriber's number, as `read_unsubscribe` does; neither token passes for the other."""
        return self._read(b"feedback", token)

    def cite(self, list_name: str, day: date, listing_key: int) -> str:
        """Return the page with BibTeX and RIS of a paper in an issue, or nothing where there are no pages."""
        return f"{self.public_url}/{CITE}/{list_name}/{day.isoformat()}/{listing_key}" if self.public_url else ""

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
        """Return the web version of an issue, or nothing where there are no pages."""
        return f"{self.public_url}/{list_name}/{day.isoformat()}" if self.public_url else ""

    def _token(self, purpose: bytes, subscriber_key: int) -> str:
        return f"{subscriber_key}.{urlsafe_b64encode(self._mac(purpose, subscriber_key)).decode()}"

    def _read(self, purpose: bytes, token: str) -> int | None:
        found = _TOKEN.fullmatch(token)
        if found is None or not compare_digest(token, self._token(purpose, int(found[1]))):
            return None
        return int(found[1])

    def _proof(self, delivery_key: int) -> str:
        return self._mac(b"bounce", delivery_key).hex()[:16]

    def _mac(self, purpose: bytes, number: int) -> bytes:
        key = _key(self.secret_key)
        return blake2b(b"%d" % number, digest_size=_BYTES, key=key, person=purpose).digest()


def feedback_about(listing_key: int, *, like: bool) -> str:
    """Return what stands behind `Links.feedback_of` in the link about a paper: `/812/more` or `/812/less`."""
    return f"/{listing_key}/{MORE if like else LESS}"


@lru_cache(maxsize=8)
def _key(secret_key: str) -> bytes:
    """Return a key of a length that BLAKE2b takes."""
    return blake2b(secret_key.encode()).digest()

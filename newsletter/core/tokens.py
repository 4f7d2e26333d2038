"""The links in a mail: to pages, or to a mail by which a reader leaves. Readers are sealed numbers in them."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote

from newsletter.core.page_names import (
    CITE,
    CONFIRM,
    DECIDE,
    FEEDBACK,
    NEW_ADDRESS,
    PREFERENCES,
    SIGN_UP,
    STAY,
    UNSUBSCRIBE,
)
from newsletter.core.seals import IN_BASE32, Seals, begun

# Whom the links of test copies and previews are made for: the store gives no subscriber this number.
TEST_COPY = 0
# The last part of the links by which readers say what they think of a paper, and the one that takes it back.
MORE, LESS, UNDO = "more", "less", "undo"

# The header of each mail of an issue that tells which delivery it is (`Links.delivery_mark`).
DELIVERY_HEADER = "X-Newsletter-Delivery"

# In the links of mails that earlier versions sent: a number, and behind it its hash.
_FORMER = re.compile(r"(0|[1-9]\d{0,17})\.([\w-]{24})", re.ASCII)
# Case and spaces are what mail programs change; the token is all that counts.
_FORMER_BY_MAIL = re.compile(r"(?<![\w.])([1-9]\d{0,17})\.([0-9a-f]{24})(?![\w.])", re.ASCII | re.IGNORECASE)
_BY_MAIL = re.compile(r"(?<![a-z0-9])[a-z2-7]{39}(?![a-z0-9])", re.ASCII | re.IGNORECASE)
_PROOF = 16  # characters of the hash in a mark
_MARK = re.compile(rf"(\d{{1,18}})-([0-9a-f]{{{_PROOF}}})", re.ASCII)
_TAG = "+out-"
# What may stand before the @ (RFC 5321, 4.5.3.1.1).
_LONGEST_LOCAL = 64
_OF_OWN_LINKS = (b"unsubscribe", b"feedback", b"preferences")
_MOST_TRIED = 10  # of what looks like tokens in a text


class OwnLinks(NamedTuple):
    """The links of a mail that are its reader's own; empty where there are no pages."""

    unsubscribe: str
    feedback: str = ""
    preferences: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links.

    `public_url` is where readers reach the web pages, without a slash at the end, or empty if they don't; then the
    links to pages are empty, and a mail offers leaving by mail (`own_links`). `secret_key` seals the number of a
    reader, a sign-up or a change in a token (`core.seals`), each for one purpose: a token tells nothing, and none
    passes for another. What was sealed with one of `former_keys` is still read: so the key can be changed, and the
    links in mails that are sent work on until the operator removes the former one.
    """

    public_url: str
    secret_key: str
    former_keys: tuple[str, ...] = ()

    @property
    def _seals(self) -> Seals:
        return _seals_with(self.secret_key, self.former_keys)

    def own_links(self, subscriber_key: int, mailbox: str, *, tagged: bool = False) -> OwnLinks:
        """Return the links of a reader's mail: to pages, or else the one by which they leave to a mail (RFC 6068).

        Each is what `unsubscribe`, `feedback_of` and `preferences` return by themselves, or `way_out_by_mail`.

        Args:
            subscriber_key: the reader's number.
            mailbox: the address that a mail goes to by which a reader leaves.
            tagged: whether the mailbox also takes mail for `name+tag@`; then the token stands there too.
        """
        if not self.public_url:
            return OwnLinks(self.way_out_by_mail(subscriber_key, mailbox, tagged=tagged))
        return OwnLinks(
            self.unsubscribe(subscriber_key), self.feedback_of(subscriber_key), self.preferences(subscriber_key)
        )

    def sealing_own_links(self) -> Callable[[int], bytes]:
        """Return a function that makes of a reader's number the seals in `own_links`, one behind the other."""
        return self._seals.sealing(*_OF_OWN_LINKS)

    def way_out_by_mail(self, subscriber_key: int, mailbox: str, *, tagged: bool = False) -> str:
        """Return the link to a mail by which a reader leaves a list (RFC 6068); takes what `own_links` takes."""
        token = self._seals.seal_for_mail(b"unsubscribe-mail", subscriber_key)
        tag, rest = _mailto(mailbox, tagged=tagged)
        return f"{tag}{token}{rest}{token}" if tag else f"{rest}{token}"

    def read_unsubscribe_mail(self, text: str) -> int | None:
        """Return whom a mail takes off a list, by its subject or an address it went to, or None if not by us.

        Args:
            text: decoded; what mail programs put around our token, such as `Re:`, does not matter.
        """
        for found in islice(_BY_MAIL.finditer(text), _MOST_TRIED):
            key = self._seals.open_from_mail(b"unsubscribe-mail", found[0])
            if key is not None:
                return key
        former = _FORMER_BY_MAIL.search(text)
        return former and self._read_former(b"unsubscribe-mail", int(former[1]), bytes.fromhex(former[2]))

    def unsubscribe(self, subscriber_key: int) -> str:
        """Return the link that takes a subscriber off a list: GET asks, POST does it (RFC 8058)."""
        return f"{self.public_url}/{UNSUBSCRIBE}/{self._seals.seal(b'unsubscribe', subscriber_key)}"

    def read_unsubscribe(self, token: str) -> int | None:
        """Return the subscriber's number that a token was made for, or None if it wasn't made by us.

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

        A mail has many such links. So a token is made once for each reader, and what differs between papers,
        `feedback_about`, is the same for all readers: it can be rendered with the paper. The token allows to speak
        for that reader, and of papers in issues of that reader's list alone.
        """
        return self._page(FEEDBACK, b"feedback", subscriber_key)

    def read_feedback(self, token: str) -> int | None:
        """Return the subscriber's number, as `read_unsubscribe` does; neither token passes for the other."""
        return self._read(b"feedback", token)

    def preferences(self, subscriber_key: int) -> str:
        """Return the link to a reader's preferences, or nothing where there are no pages."""
        return self._page(PREFERENCES, b"preferences", subscriber_key)

    def read_preferences(self, token: str) -> int | None:
        """Return the subscriber's number, as `read_unsubscribe` does."""
        return self._read(b"preferences", token)

    def confirm(self, signup_key: int, end: datetime) -> str:
        """Return the link by which the owner of an address confirms a sign-up, before an end (aware)."""
        return self._page_until(CONFIRM, b"confirm", signup_key, end)

    def read_confirm(self, token: str, *, now: datetime) -> int | None:
        """Return the number of the sign-up that a token confirms; None if we didn't make it, or its end came."""
        return self._seals.open_before_end(b"confirm", token, now=now)

    def decide(self, signup_key: int, end: datetime) -> str:
        """Return the link by which an operator accepts or declines a sign-up, before an end (aware)."""
        return self._page_until(DECIDE, b"decide", signup_key, end)

    def read_decide(self, token: str, *, now: datetime) -> int | None:
        """Return the number of the sign-up that a token decides on, as `read_confirm` does."""
        return self._seals.open_before_end(b"decide", token, now=now)

    def stay(self, leaving_key: int, end: datetime) -> str:
        """Return the link by which a reader who has just left takes that back, before an end (aware)."""
        return self._page_until(STAY, b"stay", leaving_key, end)

    def read_stay(self, token: str, *, now: datetime) -> int | None:
        """Return the number of the leaving that is taken back, as `read_confirm` does."""
        return self._seals.open_before_end(b"stay", token, now=now)

    def new_address(self, change_key: int, end: datetime) -> str:
        """Return the link by which a reader confirms a new address, before an end (aware)."""
        return self._page_until(NEW_ADDRESS, b"new-address", change_key, end)

    def read_new_address(self, token: str, *, now: datetime) -> int | None:
        """Return the number of the change that a token confirms, as `read_confirm` does."""
        return self._seals.open_before_end(b"new-address", token, now=now)

    def cite(self, list_name: str, day: date, listing_key: int) -> str:
        """Return the page with BibTeX and RIS of a paper in an issue, or nothing where there are no pages."""
        return f"{self.public_url}/{CITE}/{list_name}/{day.isoformat()}/{listing_key}" if self.public_url else ""

    def bounce_address(self, mailbox: str, delivery_key: int) -> str:
        """Return a delivery's own envelope sender within `mailbox` (VERP): what comes back tells whose it is.

        Relays on the way may change the case of letters, so it has small ones only.
        """
        return tagged(mailbox, self.delivery_mark(delivery_key))

    def delivery_mark(self, delivery_key: int) -> str:
        """Return what stands in a mail for its delivery, so that what comes back tells whose it is."""
        return self.marking()(delivery_key)

    def marking(self) -> Callable[[int], str]:
        """Return a function that does what `delivery_mark` does; what all have in common is done once."""
        begin = _mac_begun(self.secret_key, b"bounce").copy

        def mark(delivery_key: int) -> str:
            hash_ = begin()
            hash_.update(b"%d" % delivery_key)
            return f"{delivery_key}-{hash_.hexdigest()[:_PROOF]}"

        return mark

    def read_delivery_mark(self, mark: str) -> int | None:
        """Return the number of the delivery that a mark was made for, or None if not by us."""
        found = _MARK.fullmatch(mark)
        if found is None:
            return None
        number, keys = int(found[1]), (self.secret_key, *self.former_keys)
        return number if any(compare_digest(found[2], self._proof(number, key)) for key in keys) else None

    def sign_up(self, list_name: str) -> str:
        """Return the page by which anybody signs up for a list, or nothing where there are no pages."""
        return f"{self.public_url}/{SIGN_UP}/{list_name}" if self.public_url else ""

    def issue(self, list_name: str, day: date) -> str:
        """Return the web version of an issue, or nothing where there are no pages."""
        return f"{self.public_url}/{list_name}/{day.isoformat()}/" if self.public_url else ""

    def _page(self, path: str, purpose: bytes, number: int) -> str:
        return f"{self.public_url}/{path}/{self._seals.seal(purpose, number)}" if self.public_url else ""

    def _page_until(self, path: str, purpose: bytes, number: int, end: datetime) -> str:
        seal = self._seals.seal_until(purpose, number, end)
        return f"{self.public_url}/{path}/{seal}" if self.public_url else ""

    def _read(self, purpose: bytes, token: str) -> int | None:
        found = _FORMER.fullmatch(token)
        if found is not None:
            return self._read_former(purpose, int(found[1]), urlsafe_b64decode(found[2]))
        return self._seals.open(purpose, token)

    def _read_former(self, purpose: bytes, number: int, proof: bytes) -> int | None:
        """Return the number in a token of an earlier version, or None if its hash is not by us."""
        keys = (self.secret_key, *self.former_keys)
        macs = (_mac(key, purpose, number)[: len(proof)] for key in keys)
        return number if any(compare_digest(proof, mac) for mac in macs) else None

    def _proof(self, delivery_key: int, key: str) -> str:
        return _mac(key, b"bounce", delivery_key).hex()[:_PROOF]


def tagged(mailbox: str, tag: str) -> str:
    """Return the address of a mailbox with a tag, such as `papers+tag@example.org` (RFC 5233)."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{tag}@{domain}"


def feedback_about(listing_key: int, *, like: bool) -> str:
    """Return what stands behind `Links.feedback_of` in the link about a paper: `/812/more` or `/812/less`."""
    return f"/{listing_key}/{MORE if like else LESS}"


@lru_cache(maxsize=8)  # to make them anew takes as long as a seal
def _seals_with(secret_key: str, former_keys: tuple[str, ...]) -> Seals:
    return Seals(secret_key, former_keys)


@lru_cache(maxsize=8)
def _mailto(mailbox: str, *, tagged: bool) -> tuple[str, str]:
    """Return what stands before the tokens of a link to a mail: before that in the address, and the one behind.

    The first is empty where there is no token in the address. Each message of an issue has the same.
    """
    local, _, domain = mailbox.rpartition("@")
    if tagged and len(local) + len(_TAG) + IN_BASE32 <= _LONGEST_LOCAL:
        return f"mailto:{quote(local, safe='+')}{_TAG}", f"@{quote(domain)}?subject=unsubscribe%20"
    return "", f"mailto:{quote(mailbox, safe='@+')}?subject=unsubscribe%20"


def _mac(secret: str, purpose: bytes, number: int) -> bytes:
    hash_ = _mac_begun(secret, purpose).copy()
    hash_.update(b"%d" % number)
    return hash_.digest()


def _mac_begun(secret: str, purpose: bytes) -> blake2b:
    return begun(secret, purpose, 18)

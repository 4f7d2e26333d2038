"""Mail addresses: their parts, what they are compared by, and how they go over the wire (RFC 5321, 5322, 6531)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple, Self

import idna

LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
# Control and bidi characters, and surrogates: never in an address, quoted or not.
_UNFIT = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_ATOM = rf"""[^\s<>()\[\]\\,;:"@{_UNFIT}]+"""
# RFC 5322, 3.4.1, with the UTF-8 of RFC 6532: nothing in it can end a header, or an address within one.
_ADDR_SPEC = re.compile(rf"""(?:{_ATOM}|"(?:[^"\\{_UNFIT}]|\\[ -~])+")@(?:{_ATOM}|\[[\w:.]+\])""")


class AddressError(ValueError):
    """A text is not one mail address; the text says why."""


class Address(NamedTuple):
    """A mail address: the part before its last @, and the domain, both as they were written."""

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a bare address.

        Raises:
            AddressError: the text isn't one address: it could end a header, or name a second recipient.
        """
        _check(text)
        local, _, domain = text.rpartition("@")
        return cls(local, domain)

    def __str__(self) -> str:
        """Return the address as it was written."""
        return f"{self.local}@{self.domain}"

    @property
    def ascii_domain(self) -> str:
        """Return the domain as DNS knows it: in ASCII (IDNA 2008).

        Raises:
            AddressError: no such domain can exist; an address literal has no name.
        """
        try:
            return idna.encode(self.domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise AddressError(f"{str(self)!r} is not an address that mail can go to: {error}") from error

    @property
    def wire(self) -> str:
        """Return the address with its domain in ASCII, as relays and headers take it; the local part stays.

        Raises:
            AddressError: no such domain can exist.
        """
        return str(self) if self.domain.isascii() else f"{self.local}@{self.ascii_domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Return whether a relay must offer SMTPUTF8 (RFC 6531): only for a local part that isn't ASCII."""
        return not self.local.isascii()

    @property
    def key(self) -> str:
        """Return what the address is compared by; see `address_key`."""
        return f"{self.local.lower()}@{domain_key(self.domain)}"


def wire_form(text: str) -> str:
    """Return `Address.parse(text).wire`; where all is ASCII, as for nearly each message, in a quarter of the time.

    Raises:
        AddressError: the text isn't one address, or no such domain can exist.
    """
    _check(text)
    return text if text.isascii() else Address.parse(text).wire


def _check(text: str) -> None:
    if len(text) > LONGEST_ADDRESS or not _ADDR_SPEC.fullmatch(text):
        raise AddressError(f"{text!r} is not an address that mail can go to")


def address_key(text: str) -> str:
    """Return what an address is compared by, whatever the text: lower case, the domain in ASCII (IDNA 2008).

    RFC 5321 lets local parts differ by case; no provider of note does, and a reader who is listed as `Ann@` and
    `ann@` wants one copy.
    """
    if text.isascii() and "@" in text:  # as nearly each of a long list, in a third of the time
        return text.strip().lower()
    local, _, domain = text.strip().rpartition("@")
    return f"{local.lower()}@{domain_key(domain)}"


def domain_of(text: str) -> str:
    """Return what the domain of an address is compared by."""
    domain = text.rpartition("@")[2]
    return domain.lower() if domain.isascii() else domain_key(domain)


def domain_key(domain: str) -> str:
    """Return what a domain is compared by: lower case, and ASCII (IDNA 2008) if it can be."""
    if not domain.isascii():  # idna takes 50 µs even where it has nothing to do, for each message
        with suppress(idna.IDNAError):
            return idna.encode(domain, uts46=True).decode("ascii").lower()
    return domain.lower()


def masked(text: str) -> str:
    """Return an address for a page that others may see: `a•••@example.org` tells its owner which one it is."""
    local, _, domain = text.rpartition("@")
    return f"{local[:1]}•••@{domain}"

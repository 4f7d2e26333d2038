"""Addresses as they go over the wire (RFC 5321, 5322, 6531)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from email_validator import EmailNotValidError, validate_email

from newsletter.core.errors import RenderError

_LONGEST = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_LONGEST_LINE = 998  # RFC 5322, 2.1.1
# Control and bidi characters, and surrogates: never in an address, quoted or not.
_UNFIT = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_ATOM = rf"""[^\s<>()\[\]\\,;:"@{_UNFIT}]+"""
# RFC 5322, 3.4.1, with the UTF-8 of RFC 6532: nothing in it can end a header, or an address within one.
_ADDR_SPEC = re.compile(rf"""(?:{_ATOM}|"(?:[^"\\{_UNFIT}]|\\[ -~])+")@(?:{_ATOM}|\[[\w:.]+\])""")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, which may be empty, and a bare address."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `Name <address>` or a bare address.

        Raises:
            RenderError: the text does not hold exactly one address.
        """
        if len(text) > _LONGEST_LINE:
            raise RenderError(f"{text[:80]!r}… is longer than a line of a mail: {len(text)} characters")
        try:
            name, address = parseaddr(text)
        except RecursionError:  # comments may be nested
            raise RenderError(f"{text[:80]!r}… is not an address that mail can go to") from None
        return cls(name, wire_address(address))

    @property
    def domain(self) -> str:
        """Return the part after the @."""
        return self.address.rpartition("@")[2]


def wire_address(email: str) -> str:
    """Return an address with its domain in ASCII (IDNA 2008), as relays and headers take it.

    The local part stays as it is; where it isn't ASCII, only SMTPUTF8 can carry it (`needs_smtputf8`).

    Raises:
        RenderError: the text isn't one address: it could end a header, or name a second recipient.
    """
    if len(email) > _LONGEST or not _ADDR_SPEC.fullmatch(email):
        raise RenderError(f"{email!r} is not an address that mail can go to")
    local, _, domain = email.rpartition("@")
    if domain.isascii():
        return email
    try:
        checked = validate_email(f"x@{domain}", check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise RenderError(f"{email!r} is not an address that mail can go to: {error}") from error
    return f"{local}@{checked.ascii_domain}"


def needs_smtputf8(email: str) -> bool:
    """Return whether a relay must offer SMTPUTF8 (RFC 6531) for an address: only for a non-ASCII local part.

    Without it in the mail options such an address poisons the connection.
    """
    return not email.rpartition("@")[0].isascii()

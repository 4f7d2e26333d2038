"""Mailboxes: addresses with the names that headers show (RFC 5322, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from newsletter.core.address import AddressError, wire_form
from newsletter.core.errors import RenderError

_LONGEST_LINE = 998  # RFC 5322, 2.1.1


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

    Raises:
        RenderError: the text isn't one address: it could end a header, or name a second recipient.
    """
    try:
        return wire_form(email)
    except AddressError as error:
        raise RenderError(str(error)) from error

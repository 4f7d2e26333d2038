"""The envelope of a message: the commands that name sender and recipient to a relay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from newsletter.core.address import Address, AddressError
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.session import Letter

_SIZE_DIGITS = 20  # at most, RFC 1870, section 3
_BREAKS_COMMAND = re.compile(r"[\x00-\x20\x7f<>]")  # what would end an address, or the command, early

# Sender and recipient of nearly each letter: `envelope` would write them as they are.
_USUAL = re.compile(r"<[!-;=?-~]*><[!-;=?-~]*@[!-;=?-~]*>")


class UnusableAddressError(Exception):
    """The recipient cannot be written into a command for this relay; the text says why."""


class Offers(NamedTuple):
    """What a relay offers, as far as an envelope depends on it."""

    size: bool = False  # RFC 1870
    limit: int = 0  # bytes of a message; 0: no fixed limit (RFC 1870, section 4)
    eight_bit: bool = False  # 8BITMIME, RFC 6152
    utf8: bool = False  # SMTPUTF8, RFC 6531

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> Self:
        """Read EHLO keywords, in lower case, with their parameters; a size that is no size sets no limit."""
        limit = extensions.get("size", "").strip()
        is_number = limit.isascii() and limit.isdecimal() and len(limit) <= _SIZE_DIGITS
        return cls(
            size="size" in extensions,
            limit=int(limit) if is_number else 0,
            eight_bit="8bitmime" in extensions,
            utf8="smtputf8" in extensions,
        )


class Envelope(NamedTuple):
    """One transaction's MAIL and RCPT commands, without line ends, ready for the wire."""

    mail: bytes
    recipient: bytes


def envelope(letter: Letter, offers: Offers, relay: str) -> Envelope:
    """Return the envelope of a letter as a relay's extensions allow.

    SIZE and 8BITMIME are used where offered. SMTPUTF8 is asked for only where the recipient's local part is not
    ASCII; a non-ASCII domain goes out in its ASCII form (IDNA 2008).

    Args:
        letter: what will be sent; the sender must be ASCII.
        offers: the relay's.
        relay: the relay's name, for messages.

    Raises:
        UnusableAddressError: the recipient cannot be reached through this relay, or is no address.
        RelayError: the relay does not take messages of this size or with 8-bit bytes.
    """
    sender = letter.sender
    address, is_utf8 = wire_form(letter.recipient)
    options = _options(letter, offers, relay)
    if is_utf8:
        if not offers.utf8:
            raise UnusableAddressError(f"{relay} does not take non-ASCII addresses (SMTPUTF8)")
        options += " SMTPUTF8"
    if not _is_usable(sender):
        raise RelayError(f"{relay} cannot be given the envelope sender {sender!r}: not an ASCII address")
    return Envelope(f"MAIL FROM:<{sender}>{options}".encode(), f"RCPT TO:<{address}>".encode())


def commands(letter: Letter, offers: Offers, relay: str) -> bytes:
    """Return MAIL, RCPT and DATA for a letter in one piece for the wire; takes and raises what `envelope` does."""
    sender, recipient, pieces, is_plain, size = letter
    if is_plain and offers.size and _USUAL.fullmatch(f"<{sender}><{recipient}>"):
        size = size or sum(map(len, pieces))
        if size <= (offers.limit or size):
            return f"MAIL FROM:<{sender}> SIZE={size}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
    addressed = envelope(letter, offers, relay)
    return b"%b\r\n%b\r\nDATA\r\n" % (addressed.mail, addressed.recipient)


def _is_usable(address: str) -> bool:
    """Return whether an address is ASCII and can stand in a command; `_BREAKS_COMMAND` takes longer to tell."""
    if not (address.isascii() and address.isprintable()):
        return False
    return " " not in address and "<" not in address and ">" not in address


def wire_form(recipient: str) -> tuple[str, bool]:
    """Return an address as it goes into a command, and whether that takes SMTPUTF8.

    Raises:
        UnusableAddressError: it is no address.
    """
    if _is_usable(recipient) and "@" in recipient:
        return recipient, False
    if _BREAKS_COMMAND.search(recipient) or "@" not in recipient:
        raise UnusableAddressError("not an address")
    try:
        address = Address.parse(recipient)
        domain = address.ascii_domain
    except AddressError as error:
        raise UnusableAddressError(str(error)) from error
    return f"{address.local}@{domain}", address.needs_smtputf8


def _options(letter: Letter, offers: Offers, relay: str) -> str:
    size = letter.size
    if 0 < offers.limit < size:
        raise RelayError(f"{relay} takes messages of up to {offers.limit} bytes, this one has {size}")
    options = f" SIZE={size}" if offers.size else ""
    if letter.is_plain or all(map(bytes.isascii, letter.pieces)):
        return options
    if not offers.eight_bit:
        raise RelayError(f"{relay} does not take 8-bit messages (8BITMIME)")
    return f"{options} BODY=8BITMIME"

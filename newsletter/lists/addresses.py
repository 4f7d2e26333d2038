"""Checks mail addresses by the book, and quickly where they are plain, as nearly all of a long list are."""

from __future__ import annotations

import re

from newsletter.core.address import LONGEST_ADDRESS, AddressError

# An ASCII address of dot-atoms (RFC 5322, 3.2.3); group 1 is the local part, 2 the domain.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.-]+)")
_LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
_MOST_DOMAINS = 50_000  # that are remembered


class Addresses:
    """Checks addresses and remembers their domains.

    email-validator takes 40 µs an address, most of it for the domain. For an address with a plain ASCII local part
    it checks local part, domain and total length each by itself; so does the fast path here, with the verdict
    on the domain asked of email-validator once. Every other address goes to email-validator whole.
    """

    def __init__(self) -> None:
        self._domains: dict[str, str | None] = {}

    def read(self, text: str) -> str:
        """Return an address with its domain in lower case, international ones in Unicode.

        Raises:
            ValueError: it is no address that mail can be sent to; the text says why. DNS is not asked.
        """
        if (plain := _PLAIN.fullmatch(text)) and len(text) <= LONGEST_ADDRESS:
            local, given = plain.groups()
            domain = self._domains.get(given) or self._plain_domain(given)
            if domain and len(local) <= _LONGEST_LOCAL_PART:
                return text if domain == given else f"{local}@{domain}"
        return _by_the_book(text)

    def read_suppressed(self, text: str) -> str:
        """Return an address as `read` does, or a whole domain, which is written as `@example.org`.

        Raises:
            ValueError: it is neither; the text says why.
        """
        if not text.startswith("@"):
            return self.read(text)
        try:
            return f"@{self.read(f'a{text}').rpartition('@')[2]}"
        except ValueError:
            raise ValueError(f"{text!r} is not a domain: write it like @example.org") from None

    def _plain_domain(self, domain: str) -> str | None:
        """Return a domain in lower case, or None if it is wrong or stands for an international one."""
        if domain not in self._domains:
            try:
                normal = _by_the_book(f"a@{domain}").removeprefix("a@")
            except ValueError:
                normal = ""
            if len(self._domains) >= _MOST_DOMAINS:
                self._domains.clear()
            self._domains[domain] = normal if normal.isascii() else None
        return self._domains[domain]


def _by_the_book(text: str) -> str:
    try:
        return normal_address(text)
    except AddressError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{text!r} is not a mail address: {reason[:1].lower()}{reason[1:]}") from None


def normal_address(text: str) -> str:
    """Return an address with its domain in lower case, international ones in Unicode.

    Raises:
        AddressError: it is no address that mail can be sent to; a sentence that says why. DNS is not asked.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, strict=True, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise AddressError(str(error)) from None

"""Suppressions: who is never mailed again, by whose word, and what a reader's own confirmation takes back."""

from __future__ import annotations

from enum import StrEnum

from newsletter.core.address import domain_of


class SuppressedBy(StrEnum):
    """By whose word an address or a domain is suppressed."""

    READER = "reader"  # who left, or said "this is spam" to us
    OPERATOR = "operator"  # a command, or a file that it read
    RELAY = "relay"  # which called the address dead when it was handed a message
    INBOUND = "inbound"  # a bounce or a complaint that came back later
    IMPORT = "import"  # another program's export: who left there, and whose address was dead


def is_domain(address: str) -> bool:
    """Return whether an address stands for a whole domain, as `@example.org` does; its subdomains are others."""
    return address.startswith("@")


def whole_domain(address: str) -> str:
    """Return what stands for all addresses of the domain of an address, as it is compared: `@example.org`."""
    return f"@{domain_of(address)}"


def ends_by_confirmation(address: str, by: SuppressedBy) -> bool:
    """Return whether a suppression ends when the reader confirms a sign-up from that very address.

    Who left may change their mind, and so may who complained. An address that confirms is not dead. What the
    operator said stays until the operator takes it back, and a domain's suppression is nothing that one of its
    readers decides.

    Args:
        address: what is suppressed, an address or a whole domain.
        by: by whose word.
    """
    return by is not SuppressedBy.OPERATOR and not is_domain(address)

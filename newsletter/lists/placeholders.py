"""What `newsletter init` left in a list file: addresses at which nobody is, and a street that is nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.lists.positions import KeyPath

# Kept free for examples (RFC 2606, 3): no mail arrives there, and none may come from there.
_DOMAINS = frozenset({"example.org", "example.com", "example.net"})
_STREET = "1 Example Street"
_ADDRESSES = ("sender", "reply_to", "unsubscribe_mailto", "bounces_to")


def placeholders(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the place of each example that still stands in a list file, and what to write instead.

    Args:
        data: of the file, which may be wrong in any way.
    """
    for key in _ADDRESSES:
        if _is_example(data.get(key)):
            yield (key,), f"{key}: {data[key]!r} is an example: write an address of your own domain"
    if _STREET in str(data.get("postal_address", "")):
        yield ("postal_address",), f"postal_address: {_STREET!r} is an example: write your own address"
    readers = data.get("subscribers")
    for index, reader in enumerate(readers if isinstance(readers, list) else ()):
        email = reader.get("email") if isinstance(reader, dict) else None
        if _is_example(email):
            path = ("subscribers", index, "email")
            yield path, f"email: {email!r} is an example: write a reader's address, or remove this reader"


def _is_example(address: object) -> bool:
    """Return whether an address, with or without a name, is at a domain that is kept free for examples."""
    domain = str(address).rpartition("@")[2].strip().removesuffix(">").partition("?")[0]
    return domain.strip().lower() in _DOMAINS

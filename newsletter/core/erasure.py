"""Erased people: what is kept of an address whose data was erased tells only whether an address is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

_PURPOSE = b"erased address"  # at most 16 bytes (RFC 7693, 2.8)


class KeptHash(NamedTuple):
    """What is kept of an erased address: its hash, and which secret that was made with."""

    hash: str
    key_id: str


@dataclass(frozen=True)
class AddressHashes:
    """Hashes of addresses by the program's secret (BLAKE2b as a keyed hash, RFC 7693).

    Whoever has the ledger and not the secret cannot find out by trying addresses whose data was erased. What was
    hashed with a secret that is neither the present one nor among the former ones is recognised no longer.

    Attributes:
        secrets: the present one first, then former ones.
    """

    secrets: tuple[str, ...] = ("",)

    def made(self, address_key: str) -> KeptHash:
        """Return what is kept of an address: its hash by the present secret."""
        return KeptHash(self.each(address_key)[0], self.key_ids[0])

    def each(self, address_key: str) -> list[str]:
        """Return the hashes of an address by each secret, the present one first."""
        text, found = address_key.encode(), []
        for begun in self._begun:
            hashed = begun.copy()  # a fifth quicker than a new one with its key
            hashed.update(text)
            found.append(hashed.hexdigest())
        return found

    @cached_property
    def key_ids(self) -> tuple[str, ...]:
        """Return what tells each secret from others, and tells nothing of it."""
        return tuple(blake2b(key, digest_size=8, person=b"which secret").hexdigest() for key in self._keys)

    @cached_property
    def _keys(self) -> tuple[bytes, ...]:
        """Return a key from each secret, of a length that BLAKE2b takes."""
        return tuple(blake2b(secret.encode()).digest() for secret in self.secrets)

    @cached_property
    def _begun(self) -> tuple[blake2b, ...]:
        return tuple(blake2b(digest_size=16, key=key, person=_PURPOSE) for key in self._keys)


@dataclass(frozen=True, slots=True)
class Erased:
    """Whose data was erased, and when: by the hashes of their addresses."""

    hashes: AddressHashes = field(default_factory=AddressHashes)
    since: Mapping[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anybody was; where nobody was, no hash is worked out."""
        return bool(self.since)

    def of(self, address_key: str) -> datetime | None:
        """Return when the data of an address was erased; None if it wasn't."""
        if not self.since:
            return None
        return next((self.since[each] for each in self.hashes.each(address_key) if each in self.since), None)

"""Sealed numbers: what stands in a link for a reader's number, so that nobody can read it, alter it or make one.

A seal is a keyed hash of purpose, number and end, and behind it both, hidden by a second hash of the first: a
synthetic initialisation vector, as in RFC 5297, with BLAKE2b (RFC 7693) for both. So one number has one seal for
each purpose, and two seals show nothing of what their numbers have in common.
"""

from __future__ import annotations

from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest

LARGEST = 10**18 - 1  # that the store gives to a row

_HASH = 16  # bytes
_NUMBER, _END = 8, 6  # bytes
IN_BASE64 = 32  # characters of a seal without an end
_BARE, _ENDING = _HASH + _NUMBER, _HASH + _NUMBER + _END
_LENGTHS = {_BARE: IN_BASE64, _ENDING: 40}  # bytes in characters, without padding
IN_BASE32 = 39
_TO_BASE32 = 40  # with padding
_URL_SAFE = bytes.maketrans(b"+/", b"-_")  # RFC 4648, 5


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals numbers with a key, and opens what was sealed with it or with one of its former keys.

    Each message needs three, so they must cost next to nothing: HMAC by OpenSSL takes longer, and lets go of the
    interpreter for another thread. Hashes are compared in constant time.
    """

    key: str
    former_keys: tuple[str, ...] = ()

    def seal(self, purpose: bytes, number: int) -> str:
        """Return the seal of a number: 32 characters that may stand in an address of a page.

        Args:
            purpose: at most 16 bytes; a seal opens for its own purpose alone.
            number: from 0 to `LARGEST`.
        """
        return urlsafe_b64encode(_sealed(self.key, purpose, number.to_bytes(_NUMBER))).decode()

    def sealing(self, *purposes: bytes) -> Callable[[int], bytes]:
        """Return a function that returns the seals of a number for these purposes, one behind the other, in ASCII.

        Each is what `seal` returns. It takes half the time: what all numbers have in common is done once.
        """
        begin_veil = begun(self.key, b"veil", _NUMBER).copy
        begin_each = [begun(self.key, purpose, _HASH).copy for purpose in purposes]
        number_of = int.from_bytes

        def sealed(number: int) -> bytes:
            content, seals = number.to_bytes(_NUMBER), b""
            for begin in begin_each:
                hash_ = begin()
                hash_.update(content)
                proof = hash_.digest()
                hash_ = begin_veil()
                hash_.update(proof)
                seals += proof + (number_of(hash_.digest()) ^ number).to_bytes(_NUMBER)
            # Whole groups of three bytes each, so encoded together: `urlsafe_b64encode` takes twice as long.
            return b2a_base64(seals, newline=False).translate(_URL_SAFE)

        return sealed

    def open(self, purpose: bytes, seal: str) -> int | None:
        """Return the number in a seal, or None if it was not sealed by us for this purpose."""
        content = self._content(purpose, _decoded(seal, _BARE))
        return None if content is None else int.from_bytes(content)

    def seal_until(self, purpose: bytes, number: int, end: datetime) -> str:
        """Return a seal that opens before an end (aware, to the second): 40 characters."""
        content = number.to_bytes(_NUMBER) + int(end.timestamp()).to_bytes(_END)
        return urlsafe_b64encode(_sealed(self.key, purpose, content)).decode()

    def open_before_end(self, purpose: bytes, seal: str, *, now: datetime) -> int | None:
        """Return the number in a seal of `seal_until`; None as `open`, or if its end has come."""
        content = self._content(purpose, _decoded(seal, _ENDING))
        if content is None or int.from_bytes(content[_NUMBER:]) <= now.timestamp():
            return None
        return int.from_bytes(content[:_NUMBER])

    def seal_for_mail(self, purpose: bytes, number: int) -> str:
        """Return a seal that survives a mail program, whatever it does to case: 39 letters and digits."""
        sealed = _sealed(self.key, purpose, number.to_bytes(_NUMBER))
        return b32encode(sealed).decode().rstrip("=").lower()

    def open_from_mail(self, purpose: bytes, seal: str) -> int | None:
        """Return the number in a seal of `seal_for_mail`, as `open` does."""
        content = self._content(purpose, _decoded_from_mail(seal))
        return None if content is None else int.from_bytes(content)

    def _content(self, purpose: bytes, sealed: bytes) -> bytes | None:
        """Return what was sealed, if it was with one of our keys."""
        for key in (self.key, *self.former_keys) if sealed else ():
            content = _hidden(key, sealed[:_HASH], sealed[_HASH:])
            if compare_digest(sealed, _sealed(key, purpose, content)):
                return content
        return None


def _sealed(key: str, purpose: bytes, content: bytes) -> bytes:
    proof = _hashed(key, purpose, _HASH, content)
    return proof + _hidden(key, proof, content)


def _hidden(key: str, proof: bytes, content: bytes) -> bytes:
    """Return content that is hidden behind a proof; what is hidden twice is shown again."""
    size = len(content)
    veil = _hashed(key, b"veil", size, proof)
    return (int.from_bytes(veil) ^ int.from_bytes(content)).to_bytes(size)


def _hashed(key: str, purpose: bytes, size: int, content: bytes) -> bytes:
    hash_ = begun(key, purpose, size).copy()
    hash_.update(content)
    return hash_.digest()


@lru_cache(maxsize=64)  # a copy is made in two thirds of the time
def begun(key: str, purpose: bytes, size: int) -> blake2b:
    """Return a hash of so many bytes that has taken in its key; what is hashed goes into a copy of it."""
    return blake2b(digest_size=size, key=key_of(key), person=purpose)


def _decoded(seal: str, size: int) -> bytes:
    """Return the bytes of a seal, or none if it cannot be one."""
    if len(seal) != _LENGTHS[size] or not seal.isascii():
        return b""
    try:
        sealed = urlsafe_b64decode(seal)
    except ValueError:
        return b""
    # Decoding leaves out what is no digit of base64: two texts must not be one seal.
    return sealed if urlsafe_b64encode(sealed).decode() == seal else b""


def _decoded_from_mail(seal: str) -> bytes:
    """Return the bytes of a seal that came by mail, or none if it cannot be one."""
    if len(seal) != IN_BASE32 or not seal.isascii():
        return b""
    written = seal.upper().ljust(_TO_BASE32, "=")
    try:
        sealed = b32decode(written)
    except ValueError:
        return b""
    return sealed if b32encode(sealed).decode() == written else b""


@lru_cache(maxsize=8)
def key_of(secret: str) -> bytes:
    """Return a key of a length that BLAKE2b takes."""
    return blake2b(secret.encode()).digest()

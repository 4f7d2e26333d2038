"""Sealed files: nobody can read or change what is in them without the program's secret.

A file is a first line that says which form it has, a salt, a nonce, and behind them the content as
ChaCha20-Poly1305 hides it (RFC 8439), which vouches for the first three too. The key is derived from the secret
and the salt by HKDF with SHA-256 (RFC 5869), for this purpose alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FIRST_LINE = b"newsletter sealed ledger, form 1\n"
_PURPOSE = b"newsletter: the ledger on a branch"
_SALT, _NONCE, _KEY = 16, 12, 32  # bytes
_HEAD = len(_FIRST_LINE) + _SALT + _NONCE


class SealError(Exception):
    """A file was not sealed by us, or has been changed; the text says which."""


def seal(content: bytes, secret: str) -> bytes:
    """Return a sealed file; another one each time."""
    head = _FIRST_LINE + os.urandom(_SALT) + os.urandom(_NONCE)
    return head + _cipher(secret, head).encrypt(_nonce(head), content, head)


def unseal(sealed: bytes, secrets: Iterable[str]) -> bytes:
    """Return the content of a sealed file.

    Args:
        sealed: the file.
        secrets: the one that it may have been sealed with is among them.

    Raises:
        SealError: it is no sealed file, or none of the secrets opens it.
    """
    if not sealed.startswith(_FIRST_LINE) or len(sealed) < _HEAD:
        raise SealError("it is no sealed ledger, or one of a newer version of the program")
    head = sealed[:_HEAD]
    for secret in secrets:
        try:
            return _cipher(secret, head).decrypt(_nonce(head), sealed[_HEAD:], head)
        except InvalidTag:
            continue
    raise SealError("it was sealed with another secret key, or it has been changed")


def _cipher(secret: str, head: bytes) -> ChaCha20Poly1305:
    salt = head[len(_FIRST_LINE) : -_NONCE]
    return ChaCha20Poly1305(HKDF(SHA256(), _KEY, salt=salt, info=_PURPOSE).derive(secret.encode()))


def _nonce(head: bytes) -> bytes:
    return head[-_NONCE:]

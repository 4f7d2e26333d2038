"""DKIM signatures (RFC 6376), `relaxed/simple`: header fields may be refolded on their way, the body may not.

`simple` over a body of ours costs one hash and nothing else; `relaxed` would cost more than the signature.
There is no `t=` and no `x=`, so that a message that is sent again is the same message.
"""

from __future__ import annotations

import hashlib
import textwrap
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from newsletter.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What is signed, in this order, as far as a message has it.
SIGNED = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "List-Help",
    "List-Archive",
    "List-Post",
    "Auto-Submitted",
    "Precedence",
    "Feedback-ID",
)
# Signed once more than they occur, so that nobody can add a second one (RFC 6376, 8.15).
OVERSIGNED = ("From", "Subject")

_KEYS = tuple((name, name.lower().encode()) for name in SIGNED)
_LEAST_RSA_BITS = 1024  # RFC 8301, 3.2; 2048 is what to use
_LINE = 75
_FOLD = "\r\n "


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the selector under which DNS has its public half (`<selector>._domainkey.<domain>`)."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @classmethod
    def load(cls, selector: str, path: Path) -> SigningKey:
        """Read an unencrypted PEM file with an RSA or Ed25519 key.

        Raises:
            ConfigurationError: the file can't be read or holds no such key; names the file.
        """
        try:
            return cls.of(selector, path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"DKIM key {path} can't be read: {error.strerror}") from error
        except ValueError as error:
            raise ConfigurationError(f"DKIM key {path} {error}") from error

    @classmethod
    def of(cls, selector: str, pem: bytes) -> SigningKey:
        """Read a key from PEM text.

        Raises:
            ValueError: the text holds no unencrypted RSA key of 1024 bits or more, nor an Ed25519 key.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("holds no private key in PEM form without a password") from error
        if isinstance(key, Ed25519PrivateKey):
            return cls(selector, key)
        if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_RSA_BITS:
            return cls(selector, key)
        raise ValueError("is neither an RSA key of 1024 bits or more nor an Ed25519 key")

    @property
    def algorithm(self) -> str:
        """Return the value of the signature's `a=` tag."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """Return the signature over canonical header fields."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(hashlib.sha256(data).digest())  # RFC 8463, 3


class Signer:
    """Signs messages for a domain with one key, or with several beside each other (RSA and Ed25519).

    Args:
        domain: the signing domain, that of the sender or above it, or DMARC will not align.
        keys: what to sign with; one signature each.
    """

    def __init__(self, domain: str, *keys: SigningKey) -> None:
        self._domain, self._keys = domain, keys

    def prepare(self, head: bytes, body: bytes) -> Callable[[], bytes]:
        """Return what makes the `DKIM-Signature` fields to put in front of a message.

        That takes most of the time, but not the interpreter's lock.

        Args:
            head: the header fields, each ending in CRLF, without the empty line.
            body: what stands behind the empty line.
        """
        fields = _canonical(head)
        found = [(name, line) for name, key in _KEYS if key in fields for line in reversed(fields[key])]
        names, signed = tuple(name for name, _ in found), b"".join(line for _, line in found)
        body_hash = b64encode(hashlib.sha256(_simple(body)).digest()).decode()
        tags = (*_list_tag(names + OVERSIGNED), f"bh={body_hash};")
        return partial(self._signatures, tags, signed)

    def _signatures(self, tags: tuple[str, ...], signed: bytes) -> bytes:
        return b"".join(self._signature(key, tags, signed) for key in self._keys)

    def _signature(self, key: SigningKey, tags: tuple[str, ...], signed: bytes) -> bytes:
        first = f"v=1; a={key.algorithm}; c=relaxed/simple; d={self._domain}; s={key.selector};"
        lines = [first, *tags, "b="]
        # RFC 6376, 3.7: the field itself comes last, canonical, its b= empty and without a line end.
        data = signed + f"dkim-signature:{' '.join(lines)}".encode()
        signature = b64encode(key.sign(data)).decode()
        lines += [signature[start : start + _LINE] for start in range(0, len(signature), _LINE)]
        return f"DKIM-Signature: {_FOLD.join(lines)}\r\n".encode()


@lru_cache(maxsize=16)
def _list_tag(names: tuple[str, ...]) -> list[str]:
    """Return the `h=` tag in lines that fit; the messages of one issue have the same."""
    lines = textwrap.wrap(f"h={': '.join(names)};", _LINE, break_on_hyphens=False)
    return [line.replace(": ", ":") for line in lines]


def _canonical(head: bytes) -> dict[bytes, list[bytes]]:
    """Return header fields by lower-case name, each as a `relaxed` line (RFC 6376, 3.4.2), topmost first."""
    fields: dict[bytes, list[bytes]] = {}
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    for field in unfolded.removesuffix(b"\r\n").split(b"\r\n"):
        name, line = _relaxed(field)
        fields.setdefault(name, []).append(line)
    return fields


@lru_cache(maxsize=256)  # most fields are the same for all readers
def _relaxed(field: bytes) -> tuple[bytes, bytes]:
    """Return a field's name in lower case, and the whole field as one `relaxed` line."""
    name, _, value = field.partition(b":")
    name = name.strip().lower()
    return name, name + b":" + b" ".join(value.split()) + b"\r\n"


def _simple(body: bytes) -> bytes:
    """Return a body as `simple` sees it (RFC 6376, 3.4.3): with exactly one line end at its end."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n"):
        return body  # always so for a message of ours, without a copy
    while body.endswith(b"\r\n"):
        body = body.removesuffix(b"\r\n")
    return body + b"\r\n"

"""DKIM signatures (RFC 6376), `relaxed/simple`: header fields may be refolded on the way, the body may not.

For our bodies `simple` costs only a hash; `relaxed` would cost more than the signature. There is no `t=` and no
`x=`, so that a message that is sent again has the same bytes.
"""

from __future__ import annotations

import hashlib
import textwrap
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from newsletter.core.errors import ConfigurationError

# The signed fields, in this order, if a message has them.
SIGNED = (
    "From",
    "Reply-To",
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
# Signed once more than they occur, so that nobody can add another (RFC 6376, 8.15).
OVERSIGNED = ("From", "Subject")

_KEYS = tuple((name, name.lower().encode()) for name in SIGNED)
_LAYOUTS_KEPT = 16  # the messages of one issue have the same
_LEAST_RSA_BITS, _GOOD_RSA_BITS = 1024, 2048  # RFC 8301, 3.2
_LINE = 75
_FOLD = b"\r\n "


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

    @property
    def weakness(self) -> str:
        """Return why receivers may reject a signature by this key alone, and what to do, or nothing."""
        advice = "make an RSA key of 2048 bits: openssl genrsa 2048"
        if not isinstance(self.private, RSAPrivateKey):
            return f"many receivers don't check Ed25519 signatures (RFC 8463): {advice}"
        if self.private.key_size < _GOOD_RSA_BITS:
            return f"receivers distrust RSA keys of {self.private.key_size} bits (RFC 8301): {advice}"
        return ""

    @property
    def kind(self) -> str:
        """Return the value of the `k=` tag in DNS."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @property
    def published(self) -> tuple[str, ...]:
        """Return the values that the `p=` tag in DNS may have; the first is the usual one (RFC 6376, 3.6.1)."""
        public = self.private.public_key()
        if not isinstance(public, RSAPublicKey):
            return (b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode(),)
        forms = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
        return tuple(b64encode(public.public_bytes(Encoding.DER, form)).decode() for form in forms)

    def signing(self) -> Callable[[bytes], bytes]:
        """Return a function that signs canonical header fields."""
        if isinstance(self.private, RSAPrivateKey):
            return partial(self.private.sign, padding=PKCS1v15(), algorithm=SHA256())
        private = self.private
        return lambda data: private.sign(hashlib.sha256(data).digest())  # RFC 8463, 3


class _Frame(NamedTuple):
    """The part of a key's field before the body's hash, in its signed and in its sent form."""

    sign: Callable[[bytes], bytes]
    canonical: bytes
    folded: bytes


class _Layout(NamedTuple):
    """What depends only on the names of a message's fields: the places of the signed ones, and the frames."""

    places: tuple[int, ...]
    frames: tuple[_Frame, ...]


class Signer:
    """Signs messages for a domain, with one or several keys (RSA and Ed25519).

    Args:
        domain: the signing domain: the sender's domain or one above it, as DMARC requires.
        keys: each makes a signature.
    """

    def __init__(self, domain: str, *keys: SigningKey) -> None:
        self._keys = tuple(
            (key.signing(), f"v=1; a={key.algorithm}; c=relaxed/simple; d={domain}; s={key.selector};")
            for key in keys
        )
        self._layout = lru_cache(maxsize=_LAYOUTS_KEPT)(self._laid_out)

    def prepare(self, head: Iterable[bytes], body: bytes) -> Callable[[], bytes]:
        """Return a function that returns the `DKIM-Signature` fields to put before a message.

        That function takes most of the time, but releases the GIL.

        Args:
            head: the header fields, one or more in each piece, each ending in CRLF, without the empty line.
            body: everything after the empty line.
        """
        names: list[bytes] = []
        lines: list[bytes] = []
        for fields in head:
            more_names, more_lines = canonical_fields(fields)
            names += more_names
            lines += more_lines
        places, frames = self._layout(tuple(names))
        signed = b"".join([lines[place] for place in places])
        body_hash = b64encode(hashlib.sha256(simple_body(body)).digest())
        # RFC 6376, 3.7: the field itself comes last, canonical, its b= empty and without a line end.
        parts = [
            (sign, b"%b%b%b; b=" % (signed, canonical, body_hash), b"%b%b;" % (folded, body_hash))
            for sign, canonical, folded in frames
        ]
        return partial(_fields, parts)

    def _laid_out(self, names: tuple[bytes, ...]) -> _Layout:
        # Of several fields with the same name, the lowest comes first (RFC 6376, 5.4.2).
        found = [
            (name, place) for name, key in _KEYS for place in range(len(names) - 1, -1, -1) if names[place] == key
        ]
        tag = _list_tag((*(name for name, _ in found), *OVERSIGNED))
        return _Layout(
            places=tuple(place for _, place in found),
            frames=tuple(
                _Frame(
                    sign=sign,
                    canonical=f"dkim-signature:{' '.join((first, *tag, 'bh='))}".encode(),
                    folded=b"DKIM-Signature: " + _FOLD.join(line.encode() for line in (first, *tag, "bh=")),
                )
                for sign, first in self._keys
            ),
        )


def _fields(parts: Iterable[tuple[Callable[[bytes], bytes], bytes, bytes]]) -> bytes:
    """Return a field for each of the parts: signing function, signed data, and start of the field."""
    return b"".join([begin + _rest(b64encode(sign(data))) for sign, data, begin in parts])


def _rest(signature: bytes) -> bytes:
    """Return the end of a field."""
    lines = [signature[start : start + _LINE] for start in range(0, len(signature), _LINE)]
    return _FOLD.join((b"", b"b=", *lines)) + b"\r\n"


def _list_tag(names: Iterable[str]) -> list[str]:
    """Return the `h=` tag in lines that fit."""
    lines = textwrap.wrap(f"h={': '.join(names)};", _LINE, break_on_hyphens=False)
    return [line.replace(": ", ":") for line in lines]


@lru_cache(maxsize=256)  # most fields are the same for all readers
def canonical_fields(head: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the names of header fields in lower case, and the fields as `relaxed` lines (RFC 6376, 3.4.2)."""
    names, lines = [], []
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    for field in unfolded.removesuffix(b"\r\n").split(b"\r\n"):
        name, _, value = field.partition(b":")
        names.append(name.strip().lower())
        lines.append(b"%b:%b\r\n" % (names[-1], b" ".join(value.split())))
    return tuple(names), tuple(lines)


def simple_body(body: bytes) -> bytes:
    """Return a body in `simple` form (RFC 6376, 3.4.3): it ends with exactly one line end."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n"):
        return body  # always true for our messages; saves a copy
    while body.endswith(b"\r\n"):
        body = body.removesuffix(b"\r\n")
    return body + b"\r\n"

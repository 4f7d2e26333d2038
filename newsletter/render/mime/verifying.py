"""What became of our own DKIM signature on the way (RFC 6376, 6.1.3), checked with the key that we sign with."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from newsletter.core.tags import read_tags
from newsletter.render.mime.signing import SigningKey, canonical_fields, simple_body

_SIGNATURE = b"dkim-signature"
_OWN_VALUE = re.compile(rb"(;\s*b=)[^;]*")


class Verified(NamedTuple):
    """How a signature arrived: whether it is there, whether the body is as it was, and the signed fields."""

    is_there: bool
    body: bool = False
    fields: bool = False


class _Mail(NamedTuple):
    names: tuple[bytes, ...]
    lines: tuple[bytes, ...]  # as `relaxed` has them
    body: bytes


def verified(raw: bytes, domain: str, key: SigningKey) -> Verified:
    """Return how the signature of a key arrived.

    Args:
        raw: the mail as it arrived; line ends of either kind, as mailboxes keep them.
        domain: the signing domain.
        key: the key that signed.
    """
    mail = _parsed(raw)
    for name, line in zip(mail.names, mail.lines, strict=True):
        if name == _SIGNATURE and (tags := _tags(line)) and _is_of(tags, domain, key):
            body = b64decode(tags.get("bh", "")) == hashlib.sha256(simple_body(mail.body)).digest()
            return Verified(is_there=True, body=body, fields=_is_signed(mail, line, tags, key))
    return Verified(is_there=False)


def signing_domains(raw: bytes) -> list[str]:
    """Return the domains whose signatures a mail has."""
    mail = _parsed(raw)
    tags = (_tags(line) for name, line in zip(mail.names, mail.lines, strict=True) if name == _SIGNATURE)
    return sorted({one["d"] for one in tags if "d" in one})


def changed_fields(sent: bytes, arrived: bytes) -> list[str]:
    """Return the names of fields of a mail that did not arrive as they were sent; those added don't count."""
    before, after = _parsed(sent), _parsed(arrived)
    changed = {
        name
        for name, line in zip(before.names, before.lines, strict=True)
        if line not in after.lines and name != _SIGNATURE
    }
    return sorted(name.decode("ascii", "replace") for name in changed)


def _parsed(raw: bytes) -> _Mail:
    head, _, body = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    return _Mail(*canonical_fields(head + b"\r\n"), body)


def _tags(line: bytes) -> dict[str, str]:
    try:
        return {
            name: "".join(value.split()) if name in {"b", "bh"} else value
            for name, value in read_tags(line.partition(b":")[2].decode("ascii", "replace")).items()
        }
    except ValueError:
        return {}


def _is_of(tags: dict[str, str], domain: str, key: SigningKey) -> bool:
    return tags.get("d", "").lower() == domain.lower() and tags.get("s") == key.selector


def _is_signed(mail: _Mail, own: bytes, tags: dict[str, str], key: SigningKey) -> bool:
    """Return whether the signed fields are as they were signed."""
    left = list(zip(mail.names, mail.lines, strict=True))
    signed = b""
    for name in tags.get("h", "").lower().replace(" ", "").encode().split(b":"):
        # Of several fields with the same name, the lowest comes first (RFC 6376, 5.4.2).
        place = next((place for place in range(len(left) - 1, -1, -1) if left[place][0] == name), None)
        if place is not None:
            signed += left.pop(place)[1]
    data = signed + _OWN_VALUE.sub(rb"\1", own).removesuffix(b"\r\n")
    public = key.private.public_key()
    try:
        signature = b64decode(tags.get("b", ""))
        if isinstance(public, RSAPublicKey):
            public.verify(signature, data, PKCS1v15(), SHA256())
        else:
            public.verify(signature, hashlib.sha256(data).digest())  # RFC 8463, 3
    except (InvalidSignature, ValueError):
        return False
    return True

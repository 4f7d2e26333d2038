"""Proof of work by the protocol of ALTCHA, version 1: a client that asks for much has to calculate much. Pure.

The client gets a salt, and the SHA-256 of the salt with a secret number behind it, and finds the number by trying
all. The server keeps nothing: challenge and salt, which names the end, are signed.
https://altcha.org/docs/v1/proof-of-work/
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from urllib.parse import parse_qs

VALID_FOR = timedelta(minutes=30)
MOST_TRIES = 50_000  # of a client: a second of an old phone's work, some milliseconds of a browser's on a desk
_ALGORITHM = "SHA-256"
_LONGEST_PROOF = 2000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a client is to solve: find a number, at most `maxnumber`, that gives the hash `challenge`."""

    algorithm: str
    challenge: str
    maxnumber: int
    salt: str
    signature: str


def challenge(secret: str, *, nonce: str, number: int, now: datetime) -> Challenge:
    """Return a challenge.

    Args:
        secret: signs it.
        nonce: chosen by chance, letters and digits.
        number: that the client is to find, from 0 to `MOST_TRIES`; chosen by chance.
        now: aware; it ends `VALID_FOR` later.
    """
    # The & at its end keeps digits of the number from being taken for digits of the end.
    salt = f"{nonce}?expires={int((now + VALID_FOR).timestamp())}&"
    hashed = sha256(f"{salt}{number}".encode()).hexdigest()
    return Challenge(
        algorithm=_ALGORITHM,
        challenge=hashed,
        maxnumber=MOST_TRIES,
        salt=salt,
        signature=_signature(secret, hashed),
    )


def solved(secret: str, proof: str, *, now: datetime) -> str | None:
    """Return the challenge that a proof solves; None if it solves none of ours, or too late.

    Args:
        secret: that signed it.
        proof: as the client sends it: JSON with the challenge and the number, in base64.
        now: aware.
    """
    if len(proof) > _LONGEST_PROOF:
        return None
    try:
        said = json.loads(b64decode(proof, validate=True))
        algorithm, hashed, number = said["algorithm"], said["challenge"], said["number"]
        salt, signature = said["salt"], said["signature"]
        end = float(parse_qs(salt.partition("?")[2])["expires"][0])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None
    if algorithm != _ALGORITHM or not isinstance(number, int) or not now.timestamp() < end:
        return None
    right = sha256(f"{salt}{number}".encode()).hexdigest()
    if not compare_digest(str(hashed).encode(), right.encode()):
        return None
    return right if compare_digest(str(signature).encode(), _signature(secret, right).encode()) else None


def _signature(secret: str, hashed: str) -> str:
    return hmac_digest(secret.encode(), b"altcha " + hashed.encode(), "sha256").hex()

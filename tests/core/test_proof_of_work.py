"""Proof of work: only who found the number of a challenge of ours, in time, has solved it."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.proof_of_work import MOST_TRIES, VALID_FOR, challenge, solved

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
SECRET = "of a test"
ASKED = challenge(SECRET, nonce="0a1b2c", number=321, now=NOW)


def proof(number: object = 321, **changed: Any) -> str:
    said = {key: value for key, value in asdict(ASKED).items() if key != "maxnumber"}
    return b64encode(json.dumps({**said, "number": number, **changed}).encode()).decode()


def test_a_client_finds_the_number_by_trying_and_that_solves_it() -> None:
    tries = (number for number in range(MOST_TRIES + 1))
    found = next(at for at in tries if sha256(f"{ASKED.salt}{at}".encode()).hexdigest() == ASKED.challenge)
    assert solved(SECRET, proof(found), now=NOW) == ASKED.challenge


@pytest.mark.parametrize(
    "wrong",
    [
        proof(322),
        proof("321"),
        proof(challenge="0" * 64),
        proof(signature="0" * 64),
        proof(algorithm="SHA-1"),
        proof(salt="0a1b2c?expires=99999999999&"),
        proof(salt="0a1b2c"),
        "",
        "!",
        b64encode(b"[" * 500).decode(),
        "A" * 5000,
    ],
)
def test_anything_else_solves_nothing(wrong: str) -> None:
    assert solved(SECRET, wrong, now=NOW) is None


def test_a_challenge_of_another_key_or_one_that_is_too_old_is_not_solved() -> None:
    assert solved("another", proof(), now=NOW) is None
    assert solved(SECRET, proof(), now=NOW + VALID_FOR - timedelta(seconds=1))
    assert solved(SECRET, proof(), now=NOW + VALID_FOR) is None


@given(st.binary(max_size=300))
def test_nothing_that_a_client_sends_breaks_it(sent: bytes) -> None:
    assert solved(SECRET, b64encode(sent).decode(), now=NOW) is None
    assert solved(SECRET, sent.decode("latin-1"), now=NOW) is None

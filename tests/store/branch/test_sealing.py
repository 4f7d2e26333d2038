"""Sealed files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.store.branch.sealing import SealError, seal, unseal

SECRET = "a secret of the operator's"


@given(st.binary(max_size=500))
def test_what_is_sealed_opens_with_the_same_secret(content: bytes) -> None:
    assert unseal(seal(content, SECRET), [SECRET]) == content


@given(st.binary(min_size=1, max_size=100), st.data())
def test_not_a_byte_of_it_can_be_changed(content: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(content, SECRET))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SealError):
        unseal(bytes(sealed), [SECRET])


def test_it_opens_with_a_former_secret_and_with_no_other() -> None:
    sealed = seal(b"content", "the former secret")

    assert unseal(sealed, [SECRET, "the former secret"]) == b"content"
    with pytest.raises(SealError, match="another secret key"):
        unseal(sealed, [SECRET])


def test_it_shows_nothing_of_its_content_and_looks_different_each_time() -> None:
    first, second = (seal(b"ann@example.org " * 20, SECRET) for _ in range(2))

    assert b"example.org" not in first
    assert first != second


@pytest.mark.parametrize(
    "content", [b"", b"newsletter sealed ledger, form 1\n", b"newsletter sealed ledger, form 2\n"]
)
def test_what_is_no_sealed_file_is_named_so(content: bytes) -> None:
    with pytest.raises(SealError, match="no sealed ledger"):
        unseal(content, [SECRET])

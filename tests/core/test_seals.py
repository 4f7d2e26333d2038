"""Sealed numbers: only we can make them, and nobody can read or change them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.seals import LARGEST, Seals

SEALS = Seals("a secret of 32 bytes for tests only")
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
NUMBERS = st.integers(0, LARGEST)


@given(NUMBERS)
def test_a_seal_opens_for_its_purpose_alone(number: int) -> None:
    seal = SEALS.seal(b"leave", number)
    assert re.fullmatch(r"[\w-]{32}", seal)
    assert SEALS.open(b"leave", seal) == number
    assert SEALS.open(b"stay", seal) is None
    assert Seals("another secret").open(b"leave", seal) is None
    assert SEALS.open_before_end(b"leave", seal, now=NOW) is None


@given(NUMBERS)
def test_seals_for_several_purposes_are_those_for_each_of_them(number: int) -> None:
    purposes = (b"leave", b"stay", b"say")
    assert SEALS.sealing(*purposes)(number).decode() == "".join(
        [SEALS.seal(purpose, number) for purpose in purposes]
    )


@given(NUMBERS)
def test_a_seal_for_mail_survives_changes_of_case(number: int) -> None:
    seal = SEALS.seal_for_mail(b"leave", number)
    assert re.fullmatch("[a-z2-7]{39}", seal)
    assert SEALS.open_from_mail(b"leave", seal) == SEALS.open_from_mail(b"leave", seal.upper()) == number
    assert SEALS.open_from_mail(b"stay", seal) is None


@given(NUMBERS, st.integers(0, 2**40))
def test_a_seal_with_an_end_opens_before_it(number: int, seconds: int) -> None:
    end = datetime.fromtimestamp(seconds % 4_000_000_000, UTC)
    seal = SEALS.seal_until(b"confirm", number, end)
    assert re.fullmatch(r"[\w-]{40}", seal)
    assert SEALS.open_before_end(b"confirm", seal, now=end - timedelta(seconds=1)) == number
    assert SEALS.open_before_end(b"confirm", seal, now=end) is None
    assert SEALS.open(b"confirm", seal) is None


@given(st.data())
def test_no_altered_or_cut_seal_opens(data: st.DataObject) -> None:
    seal = data.draw(st.sampled_from([SEALS.seal(b"leave", 42), SEALS.seal_until(b"leave", 42, NOW)]))
    place = data.draw(st.integers(0, len(seal) - 1))
    other = data.draw(st.characters())
    altered = data.draw(
        st.sampled_from([seal[:place], seal[:place] + other + seal[place + 1 :], seal + other, other + seal])
    )
    if altered == seal:
        return
    early = NOW - timedelta(days=1)
    assert SEALS.open(b"leave", altered) is None
    assert SEALS.open_before_end(b"leave", altered, now=early) is None


@given(st.data())
def test_no_altered_seal_from_a_mail_opens(data: st.DataObject) -> None:
    seal = SEALS.seal_for_mail(b"leave", 42)
    place = data.draw(st.integers(0, len(seal) - 1))
    altered = seal[:place] + data.draw(st.characters()) + seal[place + 1 :]
    assert altered.lower() == seal or SEALS.open_from_mail(b"leave", altered) is None


def test_seals_of_neighbours_have_nothing_in_common() -> None:
    first, second = SEALS.seal(b"leave", 1), SEALS.seal(b"leave", 2)
    assert sum(one == other for one, other in zip(first, second, strict=True)) < 8


@pytest.mark.parametrize("text", ["", "a" * 32, "-" * 40, "=" * 32, "\ud800" * 32, "é" * 39, "A" * 39, " " * 39])
def test_what_is_no_seal_does_not_open(text: str) -> None:
    assert SEALS.open(b"leave", text) is None
    assert SEALS.open_before_end(b"leave", text, now=NOW) is None
    assert SEALS.open_from_mail(b"leave", text) is None

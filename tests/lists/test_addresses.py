from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.core.address import address_key
from newsletter.lists.addresses import Addresses

ATOMS = st.text("abzAZ09._-+'!{}", min_size=1, max_size=70)
LABELS = st.text("abXn09-", min_size=1, max_size=66)
DOMAINS = st.lists(LABELS | st.sampled_from(["xn--mnchen-3ya", "XN--p1ai", "com", "test", "local"]), max_size=5)
LIKE_ADDRESSES = st.builds(lambda local, labels: f"{local}@{'.'.join(labels)}", ATOMS, DOMAINS)


def by_the_book(text: str) -> str | None:
    try:
        return validate_email(text, strict=True, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


def read(text: str) -> str | None:
    try:
        return Addresses().read(text)
    except ValueError:
        return None


@given(LIKE_ADDRESSES | st.text(max_size=40))
@example("a" * 64 + "@example.org")
@example("a" * 65 + "@example.org")
@example("a" * 60 + "@" + ".".join(["b" * 63] * 3) + ".ab")
@example("a" * 60 + "@" + ".".join(["b" * 63] * 3) + ".abc")
@example("Postmaster@Example.org")
@example("a@xn--mnchen-3ya.example")
@example("a@ab--cd.org")
@example("a..b@example.org")
@example("a@example.org\n")
def test_the_fast_path_accepts_what_email_validator_accepts_and_nothing_else(text: str) -> None:
    expected, found = by_the_book(text), read(text)
    assert (expected is None) == (found is None)
    if expected is not None and found is not None:
        assert address_key(found) == address_key(expected)


def test_a_domain_that_was_checked_before_gets_the_same_verdict_again() -> None:
    addresses = Addresses()
    assert addresses.read("ann@Example.ORG") == "ann@example.org"
    assert addresses.read("bob@Example.ORG") == "bob@example.org"
    for _ in range(2):
        with pytest.raises(ValueError, match="'ann@nodot' is not a mail address: the part after the @-sign"):
            addresses.read("ann@nodot")


def test_addresses_beyond_ascii_are_welcome() -> None:
    assert Addresses().read("jörg@Exämple.org") == "jörg@exämple.org"
    assert Addresses().read("ann@xn--exmple-cua.org") == "ann@exämple.org"

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.core.address import Address, AddressError, address_key, wire_form

LABELS = st.text("abXÄßüéł漢字ğ１－0-", min_size=1, max_size=12)
DOMAINS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)


def by_the_book(domain: str) -> str | None:
    try:
        return validate_email(f"x@{domain}", check_deliverability=False, globally_deliverable=False).ascii_domain
    except EmailNotValidError:
        return None


def ascii_domain(domain: str) -> str | None:
    try:
        return Address("x", domain).ascii_domain
    except AddressError:
        return None


def test_spellings_of_one_address_are_one_reader() -> None:
    assert address_key(" Ann@Example.ORG ") == "ann@example.org"
    assert address_key("ann@bücher.example") == address_key("ann@xn--bcher-kva.example")
    assert address_key("ann@" + "x" * 80 + ".example").startswith("ann@xxx")


@pytest.mark.parametrize(
    "text", ["Ann@Example.ORG", "jörg@bücher.example", '"a@b"@example.org', "ann@[192.0.2.1]"]
)
def test_an_address_is_its_local_part_and_its_domain(text: str) -> None:
    address = Address.parse(text)
    assert str(address) == text
    assert f"{address.local}@{address.domain}" == text
    assert address.key == address_key(text)


def test_only_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    assert Address.parse("jörg@example.org").needs_smtputf8
    assert not Address.parse("joerg@bücher.example").needs_smtputf8


@given(DOMAINS)
@example("bücher.example")
@example("straße.example")
@example("-.example")
@example("a。example")
@example("x＠y.example")
@example("ü" * 63 + ".example")
def test_an_international_domain_becomes_what_email_validator_makes_of_it(domain: str) -> None:
    expected = by_the_book(domain)
    if expected is not None:
        assert ascii_domain(domain) == expected


@given(st.text(max_size=30).map("x@{}".format) | st.text(max_size=40))
def test_what_goes_over_the_wire_is_one_word_with_an_ascii_domain(text: str) -> None:
    try:
        wire = wire_form(text)
    except AddressError:
        return
    assert wire == Address.parse(text).wire
    assert wire.rpartition("@")[2].isascii()
    assert not set(wire.rpartition("@")[2]) & set(" <>,;\r\n\0")

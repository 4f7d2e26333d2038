from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.sending_providers import included_for
from newsletter.core.spf import is_spf, read_spf


def test_terms_are_read_with_their_networks_and_what_they_mean() -> None:
    terms = read_spf("v=spf1 redirect=_spf.example.org exp=x ip4:192.0.2.0/24 ?ip6:2001:db8::/32 MX/28//64 ~all")
    assert [(one.kind, one.value, one.result) for one in terms] == [
        ("ip4", "192.0.2.0", "pass"),
        ("ip6", "2001:db8::", "neutral"),
        ("mx", "", "pass"),
        ("all", "", "softfail"),
        ("redirect", "_spf.example.org", ""),  # whatever stands before it (RFC 7208, 6.1)
    ]
    four, six, mx, *_ = terms
    assert four.covers(ip_address("192.0.2.255"), [])
    assert not four.covers(ip_address("192.0.3.0"), [])
    assert six.covers(ip_address("2001:db8::1"), [])
    assert mx.covers(ip_address("198.51.100.1"), ["198.51.100.14"])
    assert mx.covers(ip_address("2001:db8::ffff"), ["2001:db8::1"])
    assert not mx.covers(ip_address("198.51.100.17"), ["198.51.100.14"])


def test_what_asks_dns_is_known_by_its_kind() -> None:
    terms = read_spf("v=spf1 a mx ptr include:x.example exists:%{i}._spf.x.example ip4:192.0.2.1 all redirect=y")
    assert [one.asks for one in terms] == [True, True, True, True, True, False, False, True]
    assert [one.has_macro for one in terms] == [False] * 4 + [True] + [False] * 3


@pytest.mark.parametrize(
    "term",
    [
        "ipv4:192.0.2.1",
        "include:",
        "include",
        "ip4:example.org",
        "ip4:192.0.2.1/33",
        "a/33",
        "all:",
        "+",
        "a b:c/",
    ],
)
def test_a_term_that_receivers_do_not_know_is_a_mistake(term: str) -> None:
    with pytest.raises(ValueError, match=r"is no |names nothing|prefix"):
        read_spf(f"v=spf1 {term} -all")


@pytest.mark.parametrize(
    ("text", "expected"), [("v=spf1", True), ("V=SPF1 -all", True), ("v=spf10 -all", False), ("spf2.0/pra", False)]
)
def test_a_record_of_spf_is_known_by_its_first_word(text: str, *, expected: bool) -> None:
    assert is_spf(text) is expected


@given(st.text())
def test_any_text_is_read_or_is_a_mistake(text: str) -> None:
    with suppress(ValueError):
        assert all(term.kind for term in read_spf(f"v=spf1 {text}"))


def test_providers_are_known_by_the_names_of_their_servers() -> None:
    assert included_for("SMTP.gmail.com.") == "_spf.google.com"
    assert included_for("email-smtp.eu-west-1.amazonaws.com") == ""
    assert included_for("notgmail.com") is None

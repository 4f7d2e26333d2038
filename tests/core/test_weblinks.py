from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.weblinks import former_url, normalised_url

PAPER = "https://example.org/papers/1"


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.org/papers/1/",
        "http://example.org/papers/1",
        "https://EXAMPLE.org.:443/papers/1#abstract",
        "http://example.org:80/papers/1/index.html",
        f"{PAPER}?utm_source=mail&utm_medium=x&ref=hn",
        f"{PAPER}?ref=news.example.net",
        f"{PAPER}?source=rss----0a1b2c3d---4",
        f"{PAPER}?fbclid=x&msclkid=y",
        f"{PAPER}?rss=1",
        f"{PAPER};jsessionid=ABC",
        f"{PAPER}#:~:text=We%20study",
        "https://example.org/%70apers/%31",
    ],
)
def test_a_link_loses_what_does_not_tell_pages_apart(text: str) -> None:
    assert normalised_url(text) == "example.org/papers/1"


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/papers/2",
        "https://example.org/Papers/1",
        "https://sub.example.org/papers/1",
        "https://example.org:8080/papers/1",
        f"{PAPER}#p2",
        f"{PAPER}?p=2",
        f"{PAPER}?id=2",
        f"{PAPER}?ref=2",
        f"{PAPER}?source=b",
        f"{PAPER}?from=12",
        f"{PAPER}?x=%2F",
    ],
)
def test_a_fragment_or_a_short_value_tells_pages_apart(other: str) -> None:
    assert normalised_url(other) != normalised_url(PAPER)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.org/p?id=1&a=2", "https://e.org/p?a=2&id=1"),
        ("https://e.org/caf%c3%a9", "https://e.org/café"),
        ("https://e.org/a%2fb", "https://e.org/a%2Fb"),
        ("https://bücher.example/1", "https://xn--bcher-kva.example/1"),
        ("https://e.org/#!/p/1", "https://www.e.org/#!/p/1"),
    ],
)
def test_one_place_written_in_two_ways_is_one(one: str, other: str) -> None:
    assert normalised_url(one) == normalised_url(other)


def test_what_is_encoded_for_a_reason_stays_so() -> None:
    assert normalised_url("https://e.org/a%2Fb") != normalised_url("https://e.org/a/b")


@pytest.mark.parametrize(
    "text", ["", "javascript:alert(1)", "/papers/1", "ftp://example.org/x", "http://[::1", "https://", "https://."]
)
def test_what_is_no_web_link_has_no_form(text: str) -> None:
    assert not normalised_url(text)


@given(st.text())
def test_any_text_has_a_form_that_is_its_own(text: str) -> None:
    form = normalised_url(f"https://example.org/{text}")
    assert normalised_url(f"https://{form}") == form
    former_url(f"https://example.org/{text}")
    former_url(text)

"""What an authorization server's answers mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.core.errors import TokenError
from newsletter.core.oauth import AccessToken, TokenClient, read_token

SECRET, REFRESH = "s3cret-of-ours", "refresh-of-ours"
CLIENT = TokenClient(
    url="https://login.example.org/token",
    client_id="our id",
    client_secret=SECRET,
    refresh_token=REFRESH,
    scope="mail.send offline",
    settings="NEWSLETTER_SMTP__OAUTH_",
)


def answered(status: int, content: Any) -> AccessToken:
    return read_token(CLIENT, REFRESH, status, json.dumps(content).encode())


def test_a_token_is_asked_for_in_a_persons_name_or_in_our_own() -> None:
    assert parse_qs(CLIENT.form(REFRESH).decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": [REFRESH],
        "client_id": ["our id"],
        "client_secret": [SECRET],
        "scope": ["mail.send offline"],
    }
    own = parse_qs(CLIENT.form("").decode())
    assert own["grant_type"] == ["client_credentials"]
    assert "refresh_token" not in own


def test_a_token_is_used_until_shortly_before_its_end() -> None:
    assert answered(200, {"access_token": "abc", "expires_in": 3600}) == ("abc", 3300, "")
    assert answered(200, {"access_token": "abc", "expires_in": "60", "refresh_token": "next"}) == (
        "abc",
        45,
        "next",
    )
    assert answered(200, {"access_token": "abc"}).seconds == 3300  # nothing is said: an hour


@pytest.mark.parametrize(
    ("status", "content", "says", "is_final"),
    [
        (400, {"error": "invalid_grant", "error_description": "Token revoked."}, "OAUTH_REFRESH_TOKEN", True),
        (401, {"error": "invalid_client"}, "OAUTH_CLIENT_ID and NEWSLETTER_SMTP__OAUTH_CLIENT_SECRET", True),
        (400, {"error": "invalid_scope"}, "check NEWSLETTER_SMTP__OAUTH_SCOPE", True),
        (400, {"error": "temporarily_unavailable"}, "temporarily_unavailable", False),
        (503, "<html>", "503", False),
        (429, {}, "429", False),
        (404, {}, "check the settings NEWSLETTER_SMTP__OAUTH_…", True),
        (200, {"access_token": 7}, "without an access token", False),
        (200, {"access_token": "two\nlines"}, "without an access token", False),
        (200, ["abc"], "without an access token", False),
    ],
)
def test_an_error_says_what_to_do(status: int, content: Any, says: str, is_final: bool) -> None:
    with pytest.raises(TokenError) as raised:
        answered(status, content)
    assert says in str(raised.value)
    assert str(raised.value).startswith("login.example.org ")
    assert raised.value.is_final is is_final


@given(st.integers(100, 599), st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_whatever_is_answered_is_told_in_one_line(status: int, body: bytes) -> None:
    with pytest.raises(TokenError) as raised:  # no bytes or text are an object with a token
        read_token(CLIENT, REFRESH, status, body)
    assert str(raised.value).isprintable()


_ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(st.fixed_dictionaries({}, optional={"expires_in": _ANYTHING, "refresh_token": _ANYTHING}))
@example({"expires_in": 10**400})  # no number that a float can hold
@example({"refresh_token": "\ud800"})  # half a letter, which no file can hold
def test_whatever_stands_beside_a_token_it_is_used_for_a_day_at_most(beside: dict[str, Any]) -> None:
    token = answered(200, {"access_token": "abc"} | beside)

    assert token.value == "abc"
    assert 0 < token.seconds <= 24 * 3600
    assert token.refresh_token.isascii()


def test_no_secret_stands_in_an_error_even_if_the_server_repeats_it() -> None:
    with pytest.raises(TokenError) as raised:
        answered(400, {"error": "invalid_request", "error_description": f"{SECRET} and {REFRESH}\r\nno"})
    assert SECRET not in str(raised.value)
    assert REFRESH not in str(raised.value)
    assert SECRET not in repr(CLIENT)

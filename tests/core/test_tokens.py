"""Links in mails: how readers leave without public pages, and which addresses readers can reach."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.tokens import Links

BY_MAIL = Links("", "a secret of 32 bytes for tests only")
PAPERS = "papers@example.org"


def subject(link: str) -> str:
    """Return the subject of the mail that a link writes, as a mail program reads it."""
    return parse_qs(urlsplit(link).query)["subject"][0]


@given(st.integers(1, 10**18 - 1))
def test_the_mail_that_the_way_out_writes_takes_off_the_reader_whom_it_was_made_for(key: int) -> None:
    link = BY_MAIL.way_out(key, PAPERS)
    assert urlsplit(link).scheme == "mailto"
    assert urlsplit(link).path == PAPERS
    said = subject(link)
    assert said.startswith(f"unsubscribe {key}.")
    assert BY_MAIL.read_unsubscribe_subject(said) == key


@pytest.mark.parametrize("around", ["Re: {}", "AW: Fwd: {} (thanks)", "  {}  ", "[list] {}", "{}\r\n"])
def test_what_mail_programs_put_around_the_subject_does_not_matter(around: str) -> None:
    said = subject(BY_MAIL.way_out(42, PAPERS))
    assert BY_MAIL.read_unsubscribe_subject(around.format(said)) == 42
    assert BY_MAIL.read_unsubscribe_subject(around.format(said.upper())) == 42


@pytest.mark.parametrize("text", ["", "unsubscribe", "42", "42.", "42.0123456789abcdef01234567", "0." + "0" * 24])
def test_a_subject_that_we_did_not_sign_takes_nobody_off(text: str) -> None:
    assert BY_MAIL.read_unsubscribe_subject(text) is None


def test_a_token_holds_for_one_reader_one_key_and_one_purpose() -> None:
    said = subject(BY_MAIL.way_out(42, PAPERS))
    assert BY_MAIL.read_unsubscribe_subject(said.replace("42.", "43.")) is None
    assert BY_MAIL.read_unsubscribe_subject(said.replace("42.", "142.")) is None
    assert BY_MAIL.read_unsubscribe_subject(f"{said}0") is None
    assert Links("", "another secret of thirty bytes").read_unsubscribe_subject(said) is None
    assert BY_MAIL.read_unsubscribe(said.removeprefix("unsubscribe ")) is None
    pages = Links("https://papers.example.org", BY_MAIL.secret_key)
    assert pages.read_unsubscribe_subject(pages.unsubscribe(42).rpartition("/")[2]) is None
    assert pages.read_unsubscribe_subject(said) == 42  # mails of before there were pages


@given(st.text(max_size=200))
def test_no_subject_is_more_than_can_be_read(text: str) -> None:
    assert BY_MAIL.read_unsubscribe_subject(text) is None


@pytest.mark.parametrize("mailbox", ["a+b@example.org", "o'hara&co=x?y#z%@example.org", "jörg@bücher.example"])
def test_an_address_of_any_letters_is_one_recipient(mailbox: str) -> None:
    link = BY_MAIL.way_out(42, mailbox)
    assert link.isascii()
    assert link.count("?") == 1
    assert "&" not in link


def test_with_public_pages_the_way_out_is_a_page() -> None:
    pages = Links("https://papers.example.org", BY_MAIL.secret_key)
    assert pages.way_out(42, PAPERS) == pages.unsubscribe(42)

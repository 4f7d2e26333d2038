"""Links in mails: how readers leave without public pages, and which addresses readers can reach."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.tokens import Links, feedback_about

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


PAGES = Links("https://papers.example.org", "a secret of 32 bytes for tests only")


@given(st.integers(0, 10**18 - 1), st.integers(1, 10**9), st.booleans())
def test_a_link_for_feedback_says_who_and_of_what(reader: int, listing: int, like: bool) -> None:
    link = PAGES.feedback(reader, listing, like=like)
    assert link == PAGES.feedback_of(reader) + feedback_about(listing, like=like)
    token, key, wish = link.removeprefix("https://papers.example.org/-/feedback/").split("/")
    assert PAGES.read_feedback(token) == reader
    assert (int(key), wish) == (listing, "more" if like else "less")


@given(st.integers(0, 10**18 - 1))
def test_a_token_is_good_for_its_own_purpose_alone(reader: int) -> None:
    leaving = PAGES.unsubscribe(reader).rpartition("/")[2]
    feedback = PAGES.feedback_of(reader).rpartition("/")[2]
    assert PAGES.read_unsubscribe(leaving) == reader
    assert PAGES.read_unsubscribe(feedback) is None
    assert PAGES.read_feedback(leaving) is None
    assert Links(PAGES.public_url, "another secret").read_feedback(feedback) is None


@given(st.text(max_size=60))
def test_no_text_passes_for_a_token_of_feedback(text: str) -> None:
    assert PAGES.read_feedback(text) is None


def test_a_token_with_another_readers_number_is_refused() -> None:
    token = PAGES.feedback_of(42).rpartition("/")[2]
    assert PAGES.read_feedback(f"43{token[2:]}") is None
    assert PAGES.read_feedback(f"042{token[2:]}") is None


def test_without_pages_there_are_no_links_to_them() -> None:
    assert BY_MAIL.feedback(42, 7, like=True) == BY_MAIL.feedback_of(42) == ""
    assert BY_MAIL.cite("daily", date(2026, 3, 12), 7) == ""
    assert PAGES.cite("daily", date(2026, 3, 12), 7) == "https://papers.example.org/-/cite/daily/2026-03-12/7"

"""Links in mails: how readers leave without public pages, and which addresses readers can reach."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
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
    link = BY_MAIL.own_links(key, PAPERS).unsubscribe
    assert urlsplit(link).scheme == "mailto"
    assert urlsplit(link).path == PAPERS
    said = subject(link)
    assert re.fullmatch("unsubscribe [a-z2-7]{39}", said)
    assert BY_MAIL.read_unsubscribe_mail(said) == key


@pytest.mark.parametrize("around", ["Re: {}", "AW: Fwd: {} (thanks)", "  {}  ", "[list] {}", "{}\r\n"])
def test_what_mail_programs_put_around_the_subject_does_not_matter(around: str) -> None:
    said = subject(BY_MAIL.own_links(42, PAPERS).unsubscribe)
    assert BY_MAIL.read_unsubscribe_mail(around.format(said)) == 42
    assert BY_MAIL.read_unsubscribe_mail(around.format(said.upper())) == 42


FORMER_SUBJECT = "unsubscribe 42.4c64571115f0c29186dd9eab"
FORMER_TOKEN = "42.zJ0JNKIoxSzCVo28HjgNWpPZ"


@pytest.mark.parametrize(
    "text",
    ["", "unsubscribe", "42", "42.", "42.0123456789abcdef01234567", "0." + "0" * 24, "unsubscribe " + "a" * 39],
)
def test_a_subject_that_we_did_not_sign_takes_nobody_off(text: str) -> None:
    assert BY_MAIL.read_unsubscribe_mail(text) is None


def test_a_token_holds_for_one_key_and_one_purpose() -> None:
    said = subject(BY_MAIL.own_links(42, PAPERS).unsubscribe)
    assert BY_MAIL.read_unsubscribe_mail(f"{said}a") is None
    assert Links("", "another secret of thirty bytes").read_unsubscribe_mail(said) is None
    assert BY_MAIL.read_unsubscribe(said.removeprefix("unsubscribe ")) is None
    pages = Links("https://papers.example.org", BY_MAIL.secret_key)
    assert pages.read_unsubscribe_mail(pages.unsubscribe(42).rpartition("/")[2]) is None
    assert pages.read_unsubscribe_mail(said) == 42  # mails of before there were pages


def test_the_token_is_found_behind_other_words_of_its_length() -> None:
    said = subject(BY_MAIL.own_links(42, PAPERS).unsubscribe)
    assert BY_MAIL.read_unsubscribe_mail(f"{'b' * 39} {said}") == 42


def test_links_in_mails_of_earlier_versions_still_work() -> None:
    assert BY_MAIL.read_unsubscribe_mail(FORMER_SUBJECT) == 42
    assert BY_MAIL.read_unsubscribe_mail(FORMER_SUBJECT.replace("42.", "43.")) is None
    assert BY_MAIL.read_unsubscribe(FORMER_TOKEN) == 42
    assert BY_MAIL.read_unsubscribe(FORMER_TOKEN.replace("42.", "142.")) is None
    assert BY_MAIL.read_feedback(FORMER_TOKEN) is None


def test_a_mailbox_that_takes_tags_gets_the_token_in_its_address_too() -> None:
    link = urlsplit(BY_MAIL.own_links(42, PAPERS, tagged=True).unsubscribe)
    assert re.fullmatch(r"papers\+out-[a-z2-7]{39}@example\.org", link.path)
    assert BY_MAIL.read_unsubscribe_mail(link.path) == 42
    assert BY_MAIL.read_unsubscribe_mail(parse_qs(link.query)["subject"][0]) == 42


def test_an_address_never_becomes_too_long_by_its_tag() -> None:
    mailbox = f"{'p' * 30}@example.org"
    assert urlsplit(BY_MAIL.own_links(42, mailbox, tagged=True).unsubscribe).path == mailbox


@given(st.text(max_size=200))
def test_no_subject_is_more_than_can_be_read(text: str) -> None:
    assert BY_MAIL.read_unsubscribe_mail(text) is None


@pytest.mark.parametrize("mailbox", ["a+b@example.org", "o'hara&co=x?y#z%@example.org", "jörg@bücher.example"])
def test_an_address_of_any_letters_is_one_recipient(mailbox: str) -> None:
    link = BY_MAIL.own_links(42, mailbox).unsubscribe
    assert link.isascii()
    assert link.count("?") == 1
    assert "&" not in link


def test_with_public_pages_the_links_of_a_mail_are_pages() -> None:
    pages = Links("https://papers.example.org", BY_MAIL.secret_key)
    assert pages.own_links(42, PAPERS) == (pages.unsubscribe(42), pages.feedback_of(42), pages.preferences(42))


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


NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)


@given(st.integers(1, 10**18 - 1), st.integers(-3, 3))
def test_a_link_with_an_end_works_before_it(number: int, seconds: int) -> None:
    token = PAGES.confirm(number, NOW).rpartition("/")[2]
    assert PAGES.read_confirm(token, now=NOW + timedelta(seconds=seconds)) == (number if seconds < 0 else None)


def test_each_kind_of_link_is_read_for_its_own_purpose_alone() -> None:
    links = {
        "confirm": PAGES.confirm(42, NOW),
        "decide": PAGES.decide(42, NOW),
        "stay": PAGES.stay(42, NOW),
        "new_address": PAGES.new_address(42, NOW),
    }
    before = NOW - timedelta(days=1)
    read = {name: getattr(PAGES, f"read_{name}") for name in links}
    for made, link in links.items():
        token = link.rpartition("/")[2]
        assert [name for name in links if read[name](token, now=before) is not None] == [made]
        assert PAGES.read_preferences(token) is None
    assert PAGES.read_preferences(PAGES.preferences(42).rpartition("/")[2]) == 42


def test_a_link_of_a_former_key_works_until_the_key_is_removed() -> None:
    former = Links(PAGES.public_url, "the key of last year, 32 bytes")
    after = Links(PAGES.public_url, PAGES.secret_key, (former.secret_key,))
    assert after.unsubscribe(42) == PAGES.unsubscribe(42)
    for links in (former, PAGES):
        assert after.read_unsubscribe(links.unsubscribe(42).rpartition("/")[2]) == 42
        assert after.read_delivery_mark(links.delivery_mark(7)) == 7
    assert PAGES.read_unsubscribe(former.unsubscribe(42).rpartition("/")[2]) is None
    assert PAGES.read_delivery_mark(former.delivery_mark(7)) is None


def test_without_pages_there_are_no_links_to_them() -> None:
    assert BY_MAIL.feedback(42, 7, like=True) == BY_MAIL.feedback_of(42) == ""
    assert BY_MAIL.cite("daily", date(2026, 3, 12), 7) == ""
    assert PAGES.cite("daily", date(2026, 3, 12), 7) == "https://papers.example.org/-/cite/daily/2026-03-12/7"

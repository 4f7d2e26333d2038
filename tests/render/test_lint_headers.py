from __future__ import annotations

import re

import pytest

from newsletter.core.tokens import Links
from newsletter.render.lint import lint
from newsletter.render.mime.signing import Signer, SigningKey
from tests.render import mails as make
from tests.render.planted import findings, in_bytes, in_page, rules_of

FIELD = re.compile(r"(?m)^List-Unsubscribe: .*\n")
GOOD = make.mail().decode().replace("\r\n", "\n")
UNSUBSCRIBE = FIELD.findall(GOOD)[0]


def signed(*keep: str) -> bytes:
    """Return a signed mail whose signature covers no other fields than these, if any are named."""
    raw = make.mail(signer=Signer("example.org", SigningKey("main", make.rsa_key())))
    if not keep:
        return raw
    return re.sub(rb" h=[^;]+;", f" h={':'.join(keep)};".encode(), raw)


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version"])
def test_a_field_that_must_stand_once_is_found_missing_or_doubled(name: str) -> None:
    field = re.findall(rf"(?m)^{name}: .*\n(?: .*\n)*", GOOD)[0]
    assert ("one-of-each", "failure") in rules_of(in_bytes(field, ""))
    assert ("one-of-each", "failure") in rules_of(in_bytes(field, field * 2))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("To: <reader@example.org>", "To: <reader@example.org>, <other@example.org>"),
        ("To: <reader@example.org>\n", "To: <reader@example.org>\nCc: <other@example.org>\n"),
        ("To: <reader@example.org>\n", "To: <reader@example.org>\nBcc: <other@example.org>\n"),
    ],
)
def test_more_than_one_recipient_is_found(old: str, new: str) -> None:
    assert rules_of(in_bytes(old, new)) == [("one-recipient", "failure")]


def rules(raw: bytes) -> list[str]:
    return [rule for rule, _ in rules_of(raw)]


def test_a_missing_list_unsubscribe_is_found() -> None:
    assert "unsubscribe" in rules(in_bytes(UNSUBSCRIBE, ""))


def test_an_encoded_list_unsubscribe_is_found() -> None:
    raw = in_bytes(
        UNSUBSCRIBE, "List-Unsubscribe: =?utf-8?q?=3Chttps=3A//papers=2Eexample=2Eorg/unsubscribe/x=3E?=\n"
    )
    assert "is an encoded word" in [finding.message for finding in findings(raw)]


def test_answers_go_to_one_place() -> None:
    issue = make.issue(head=make.masthead(reply_to="people@example.org"))
    field = "Reply-To: <people@example.org>\n"
    assert rules_of(make.mail(issue), issue) == []
    assert rules_of(in_bytes(field, field * 2, make.mail(issue)), issue) == [("one-of-each", "failure")]


def test_a_list_unsubscribe_that_is_no_list_of_uris_is_found() -> None:
    raw = in_bytes(UNSUBSCRIBE, "List-Unsubscribe: https://papers.example.org/leave\n")
    assert "is not a list of <URIs>" in [finding.message for finding in findings(raw)]


def test_mail_alone_or_two_pages_are_not_one_click() -> None:
    raw = in_bytes(UNSUBSCRIBE, "List-Unsubscribe: <mailto:leave@example.org>\n")
    assert "has 0 HTTPS URIs, not one" in [finding.message for finding in findings(raw)]
    raw = in_bytes("List-Unsubscribe: <", "List-Unsubscribe: <https://example.org/other>, <")
    assert "has 2 HTTPS URIs, not one" in [finding.message for finding in findings(raw)]


@pytest.mark.parametrize(
    "url",
    [
        "http://papers.example.org",
        "http://127.0.0.1:8000",
        "https://localhost",
        "https://10.0.0.7",
        "https://nas.local",
    ],
)
def test_pages_that_readers_cannot_reach_are_a_failure_unless_mail_stays_on_this_machine(url: str) -> None:
    mail, issue = make.mail(links=Links(url, make.LINKS.secret_key)), make.issue()
    assert [(item.rule, item.level) for item in lint(mail, issue)] == [("unsubscribe", "failure")]
    [finding] = lint(mail, issue, is_local=True)
    assert (finding.rule, finding.level) == ("unsubscribe", "warning")
    assert "NEWSLETTER_WEB__PUBLIC_URL" in finding.message


def test_without_public_pages_leaving_by_mail_is_enough() -> None:
    assert rules_of(make.mail(links=Links("", make.LINKS.secret_key))) == []


def test_without_public_pages_there_is_no_one_click() -> None:
    raw = in_bytes(
        "List-Id:",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nList-Id:",
        make.mail(links=Links("", make.LINKS.secret_key)),
    )
    assert ("unsubscribe", "failure") in rules_of(raw)


def test_a_mailto_beside_the_page_is_no_finding() -> None:
    issue = make.issue(head=make.masthead(unsubscribe_mailto="leave@example.org"))
    assert rules_of(make.mail(issue), issue) == []


@pytest.mark.parametrize(
    "new", ["", "List-Unsubscribe-Post: One-Click\n", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" * 2]
)
def test_a_list_unsubscribe_post_that_is_missing_or_wrong_is_found(new: str) -> None:
    assert rules_of(in_bytes("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", new)) == [
        ("unsubscribe-post", "failure")
    ]


def test_a_mail_to_one_person_needs_no_way_out() -> None:
    raw = in_bytes(UNSUBSCRIBE, "", in_bytes("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", ""))
    assert lint(raw) == []


def test_our_own_signature_covers_all_that_matters() -> None:
    assert rules_of(signed()) == []


def test_an_unsigned_unsubscribe_post_is_found() -> None:
    names = ("From", "From", "Subject", "Subject", "To", "Date", "Message-ID", "MIME-Version", "Content-Type")
    [finding] = findings(signed(*names, "List-Unsubscribe", "Feedback-ID"))
    assert (finding.rule, finding.level) == ("dkim-coverage", "failure")
    assert finding.where == "header DKIM-Signature (s=main)"
    assert finding.message == "does not sign List-Unsubscribe-Post"


def test_a_from_that_could_be_added_to_is_a_warning() -> None:
    raw = re.sub(rb":From:Subject;", b";", signed())
    assert rules_of(raw) == [("dkim-coverage", "warning")] * 2


def test_a_signature_over_a_part_of_the_body_is_found() -> None:
    raw = signed().replace(b"; s=main;", b"; s=main; l=100;")
    assert rules_of(raw) == [("dkim-coverage", "failure")]


@pytest.mark.parametrize(("domain", "found"), [("example.org", 0), ("mail.example.org", 0), ("ample.org", 1)])
def test_a_signature_of_another_domain_is_a_warning(domain: str, found: int) -> None:
    raw = make.mail(signer=Signer(domain, SigningKey("main", make.rsa_key())))
    assert rules_of(raw) == [("dkim-alignment", "warning")] * found


def test_a_subject_in_a_broken_encoding_is_read_as_it_stands() -> None:
    subject = re.findall(r"(?m)^Subject: .*\n(?: .*\n)*", GOOD)[0]
    assert "title" in rules(in_bytes(subject, "Subject: =?no-such-charset?q?x?=\n"))


def test_the_page_names_the_reader_in_no_case() -> None:
    assert rules_of(in_page("Hello ", "Dear ")) == []

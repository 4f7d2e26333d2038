"""Mails that come back, read."""

from __future__ import annotations

import base64
import quopri
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.bounces import EventKind, FoundBy
from newsletter.core.text import CONTROLS
from newsletter.core.tokens import Links
from newsletter.inbound.mails import MOST_BYTES
from newsletter.inbound.reports import read_mail
from tests.inbound.corpus import DELIVERY, LEAVE_SUBJECT, LINKS, READER, REPORTS, SUBSCRIBER, Case, arf, dsn, plain
from tests.timing import takes_time_in_proportion

FOUND = [case for case in REPORTS if case.found_by is not FoundBy.NOTHING]


def name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", REPORTS, ids=name)
def test_a_mail_that_comes_back_is_understood(case: Case) -> None:
    [event] = read_mail(case.raw.encode(), LINKS).events
    assert (event.kind, event.found_by, event.address) == (case.kind, case.found_by, case.address)
    delivery = DELIVERY if case.found_by not in {FoundBy.NOTHING, FoundBy.TOKEN} else None
    subscriber = SUBSCRIBER if case.found_by is FoundBy.TOKEN else None
    assert (event.delivery_key, event.subscriber_key) == (delivery, subscriber)
    assert not event.is_forged


def test_line_ends_do_not_matter_so_a_mail_is_the_same_event_in_a_maildir_and_by_imap() -> None:
    for case in REPORTS:
        unix, internet = case.raw.encode(), case.raw.replace("\n", "\r\n").encode()
        assert read_mail(unix, LINKS) == read_mail(internet, LINKS)


def test_each_recipient_of_a_report_is_an_event() -> None:
    other = "Final-Recipient: rfc822; other@example.net\nAction: delayed\nStatus: 4.2.0\n\n"
    raw = dsn("5.1.1").replace(
        "--b\nContent-Type: text/rfc822-headers", other + "--b\nContent-Type: text/rfc822-headers"
    )
    events = read_mail(raw.encode(), LINKS).events
    assert [(one.address, one.kind) for one in events] == [
        (READER, EventKind.HARD),
        ("other@example.net", EventKind.NOTHING),
    ]
    assert len({one.id for one in events}) == 2


@pytest.mark.parametrize("type_", ["message/delivery-status", "message/global-delivery-status"])
@pytest.mark.parametrize("encoding", ["", "base64", "quoted-printable"])
def test_a_report_in_any_encoding_and_an_international_one_say_the_same(type_: str, encoding: str) -> None:
    raw = dsn("5.1.1", f"550 <{READER}>: no such user")
    head, status = raw.split("message/delivery-status\n\n")
    status, back = status.split("\n\n--b\n")
    coding = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    coded = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)
    content = coded(f"{status}\n".encode()).decode()
    international = f"{head}{type_}\n{coding}\n{content}\n--b\n{back}"
    [event], [expected] = (read_mail(one.encode(), LINKS).events for one in (international, raw))
    assert replace(event, id=expected.id) == expected
    assert event.kind is EventKind.HARD


def test_an_international_address_in_a_report_is_read_as_it_is() -> None:
    raw = dsn("5.1.1", recipient="Final-Recipient: utf-8; jürgen@bücher.example").replace(
        "message/delivery-status", "message/global-delivery-status"
    )
    [event] = read_mail(raw.encode(), LINKS).events
    assert event.address == "jürgen@bücher.example"


def test_a_word_of_no_complaint_is_read_in_base64_too() -> None:
    fields = base64.encodebytes(b"Feedback-Type: not-spam\nVersion: 1\n").decode()
    raw = arf("abuse").replace(
        "message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Reporter/1.0\nVersion: 1\n",
        f"message/feedback-report\nContent-Transfer-Encoding: base64\n\n{fields}",
    )
    assert "not-spam" not in raw
    [event] = read_mail(raw.encode(), LINKS).events
    assert event.kind is EventKind.NOTHING


@pytest.mark.parametrize("case", FOUND, ids=name)
def test_marks_and_tokens_by_another_key_are_nobodys(case: Case) -> None:
    others = Links(LINKS.public_url, "a key that is not ours, 32 bytes")
    [event] = read_mail(case.raw.encode(), others).events
    assert event.delivery_key is event.subscriber_key is None
    is_report = case.found_by is not FoundBy.TOKEN and not case.name.startswith("out of office")
    assert event.is_forged is is_report


@pytest.mark.parametrize(
    ("said", "kind"), [("auto-replied", EventKind.NOTHING), ("auto-generated", EventKind.UNSUBSCRIBE)]
)
def test_a_machine_may_leave_for_its_reader_and_its_answers_take_nobody_off(said: str, kind: EventKind) -> None:
    raw = plain("robot@example.net", LEAVE_SUBJECT, "", to="a@b.example", more=f"Auto-Submitted: {said}\n")
    [event] = read_mail(raw.encode(), LINKS).events
    assert event.kind is kind


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"Subject: =?utf-8?b?////?=\n\n",
        b"Content-Type: text/plain; charset=no-such\nFrom: mailer-daemon@x\n\n\xff\xfe",
        b"Content-Type: multipart/report; report-type=delivery-status\n\nno boundary",
        b"Content-Type: message/delivery-status\n\nAction: failed\nStatus: \xff\nFinal-Recipient: rfc822;\xff@x",
        dsn("5.1.1 " * 5000, "x" * 100_000).encode(),
        dsn(
            recipient="Final-Recipient: rfc822; a@b\0c", returned="X-Newsletter-Delivery: 9-0123456789abcdef"
        ).encode(),
        arf("abuse\0", fields="Original-Rcpt-To: <>\n").encode(),
    ],
)
def test_a_broken_mail_is_read_as_far_as_it_goes(raw: bytes) -> None:
    for event in read_mail(raw, LINKS).events:
        assert event.delivery_key in {None, DELIVERY}
        assert CONTROLS.search(event.text + event.status + event.address) is None


def test_parts_that_are_nested_too_deeply_are_not_read() -> None:
    raw = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(5000))
    read = read_mail(raw.encode(), LINKS)
    assert read.problem == "its parts are nested too deeply"
    assert [one.kind for one in read.events] == [EventKind.NOTHING]


def test_what_stands_behind_the_bytes_that_are_read_is_not_read() -> None:
    filling = ("x" * 5000 + "\n") * (MOST_BYTES // 5000 + 1)
    [event] = read_mail(plain("mailer-daemon@example.net", "late", filling + dsn("5.1.1")).encode(), LINKS).events
    assert event.kind is EventKind.NOTHING


@pytest.mark.parametrize(
    "piece",
    [
        "--b\n",
        "\n",
        "X-Newsletter-Delivery: 7-0123456789abcdeX\n",
        "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n",
        "<reader@example.net>:\n",
        "+7-0123456789abcdef@",
        "> " * 50 + "\n",
        "user " * 50,
        "=?utf-8?q?=41?= ",
    ],
)
def test_hostile_mails_take_time_in_proportion_to_their_length(piece: str) -> None:
    def read(text: str) -> None:
        read_mail(text.encode(), LINKS)

    text = dsn("5.1.1") + piece * (400_000 // len(piece))
    assert takes_time_in_proportion(read, text, seconds=1.5)
    assert takes_time_in_proportion(read, plain("mailer-daemon@example.net", "x", text), seconds=1.5)


@given(st.binary(max_size=2000), st.integers(0, 1500))
def test_whatever_stands_within_a_report_its_reader_does_not_break(noise: bytes, place: int) -> None:
    raw = dsn("5.1.1").encode()
    assert read_mail(raw[:place] + noise + raw[place:], LINKS).events

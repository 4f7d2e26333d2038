from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.core.text import one_line
from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox

ANY_TEXT = st.text(max_size=300) | st.text(st.sampled_from('=?utf-8q "\\<>(),;@:\r\nBcaé日𝒪\u202e '), max_size=120)
LOCAL = st.text(st.sampled_from("abzAZ09.+-_'!#"), min_size=1, max_size=60).filter(
    lambda text: not text.startswith(".") and not text.endswith(".") and ".." not in text
)


def parsed(field: bytes, name: str) -> Any:
    return message_from_bytes(field + b"\r\nbody\r\n", policy=policy.default)[name]


@given(ANY_TEXT)
def test_free_text_reads_back_as_the_same_clean_line(text: str) -> None:
    assert str(parsed(headers.text("Subject", text), "Subject")) == one_line(text)


@given(ANY_TEXT, LOCAL)
def test_a_mailbox_reads_back_as_name_and_address(name: str, local: str) -> None:
    field = headers.mailbox("To", Mailbox(name, f"{local}@example.org"))
    unfolded = str(message_from_bytes(field + b"\r\n", policy=policy.compat32)["To"])
    # Python before 3.13 puts a space between two encoded words of a name, unless they are decoded by themselves.
    [(display, address)] = getaddresses([unfolded])
    assert (str(make_header(decode_header(display))), address) == (one_line(name), f"{local}@example.org")
    assert [item.addr_spec for item in parsed(field, "To").addresses] == [address]


@given(ANY_TEXT)
def test_no_text_starts_a_field_or_overlong_line_of_its_own(text: str) -> None:
    for field in (headers.text("Subject", text), headers.mailbox("To", Mailbox(text, "a@example.org"))):
        first, *rest = field.removesuffix(b"\r\n").split(b"\r\n")
        assert first.startswith((b"Subject:", b"To:"))
        assert all(line.startswith(b" ") and line.strip() for line in rest)
        assert all(len(line) <= 76 for line in (first, *rest))
        assert field.isascii()


def test_plain_text_stays_plain_and_is_folded_between_words() -> None:
    field = headers.text("Subject", "word " * 30)
    assert b"=?" not in field
    assert field.count(b"\r\n ") == 1 + len("word " * 30) // 80


def test_a_name_with_specials_is_quoted() -> None:
    assert headers.mailbox("To", Mailbox('Ann "A." Reader', "a@example.org")) == (
        b'To: "Ann \\"A.\\" Reader" <a@example.org>\r\n'
    )


def test_mostly_ascii_text_stays_legible_and_other_scripts_are_base64() -> None:
    assert b"?q?Caf=C3=A9_papers?=" in headers.text("Subject", "Café papers")
    assert b"?b?" in headers.text("Subject", "論文の紹介")


def test_a_local_part_beyond_ascii_stays_utf_8() -> None:
    assert "<jörg@example.org>".encode() in headers.mailbox("To", Mailbox("Jörg", "jörg@example.org"))


def test_a_raw_field_is_never_encoded_and_folded_behind_commas_only() -> None:
    uri = "<https://papers.example.org/" + "x" * 120 + ">"
    assert headers.raw("List-Unsubscribe", uri, "<mailto:a@example.org>") == (
        f"List-Unsubscribe: {uri},\r\n <mailto:a@example.org>\r\n".encode()
    )


@pytest.mark.parametrize("value", ["<https://exämple.org>", "<a>\r\nBcc: b@example.org", ""])
def test_a_raw_field_takes_nothing_but_ascii_on_one_line(value: str) -> None:
    with pytest.raises(RenderError, match="List-Help can't hold"):
        headers.raw("List-Help", value)


def test_a_date_is_written_as_rfc_5322_does() -> None:
    assert (
        headers.date("Date", datetime(2026, 3, 1, 7, 5, tzinfo=UTC))
        == b"Date: Sun, 01 Mar 2026 07:05:00 +0000\r\n"
    )

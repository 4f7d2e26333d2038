from __future__ import annotations

import pytest

from tests.render import mails as make
from tests.render.planted import findings, in_bytes, in_page, rules_of


def test_a_good_mail_has_no_finding() -> None:
    assert findings(make.mail()) == []


def test_a_bare_line_feed_is_found_with_its_line() -> None:
    raw = make.mail().replace(b"List-Post: NO\r\n", b"List-Post: NO\n")
    [finding] = findings(raw)
    assert (finding.rule, finding.message) == ("line-end", "LF without CR (1 in all)")
    assert finding.where == f"line {raw[: raw.index(b'List-Post')].count(bytes([10])) + 1}"


def test_a_bare_carriage_return_is_found() -> None:
    assert ("line-end", "failure") in rules_of(make.mail().replace(b"Paper 0", b"Paper\r0"))


def test_a_line_of_1200_bytes_is_found() -> None:
    raw = in_bytes("List-Post: NO\n", f"List-Post: NO\nComments: {'x' * 1190}\n")
    assert rules_of(raw) == [("line-length", "failure")]


def test_raw_8_bit_text_in_a_header_is_found() -> None:
    raw = in_bytes("List-Id: Daily Papers", "List-Id: T\xe4gliche Papers")
    assert rules_of(raw) == [("eight-bit-header", "failure")]


def test_a_local_part_beyond_ascii_is_no_finding() -> None:
    assert rules_of(make.mail(to=make.delivery("jörg@example.org"))) == []


def test_an_encoded_word_that_is_too_long_is_found() -> None:
    word = f"=?utf-8?q?{'x' * 70}?="
    assert ("encoded-word", "failure") in rules_of(in_bytes("Daily Papers <papers", f"{word} <papers"))


@pytest.mark.parametrize(
    "bad",
    ["100=% sure", "=3d in lower case", "x" * 77, "a space at the end ", "caf\xe9"],
)
def test_broken_quoted_printable_is_found_once_a_part(bad: str) -> None:
    raw = in_bytes("\n--\n1 Reading Lane", f"\n{bad}\n--\n1 Reading Lane")
    assert rules_of(raw) == [("transfer-encoding", "failure")]


def test_a_part_of_8_bits_is_found() -> None:
    raw = in_bytes(
        "text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "text/plain; charset=utf-8"
    )
    assert ("transfer-encoding", "failure") in rules_of(in_bytes("Booktown\nLeave", "Booktown \xe9\nLeave", raw))
    raw = in_bytes(
        "text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
        "text/plain\nContent-Transfer-Encoding: 8bit",
    )
    assert ("transfer-encoding", "failure") in rules_of(raw)


def test_a_plain_part_of_7_bits_is_no_finding() -> None:
    assert "transfer-encoding" not in dict(
        rules_of(in_bytes("plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "plain"))
    )


def test_a_finding_says_what_where_and_why() -> None:
    [finding] = findings(in_page('lang="en" ', ""))
    assert str(finding).startswith("failure: HTML part, <html>: has no lang [lang] Without it a screen reader")

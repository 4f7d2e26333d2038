from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.text import one_line, without_addresses


@given(st.text())
def test_it_is_one_line_without_controls(text: str) -> None:
    cleaned = one_line(text)
    assert not set(cleaned) & set("\r\n\t\x00\x1b\u202e\u2066\ufeff")
    assert cleaned == cleaned.strip()
    assert one_line(cleaned) == cleaned


def test_it_takes_out_what_turns_text_around() -> None:
    assert one_line("safe\u202egpj.exe\r\nBcc: x@example.org") == "safe gpj.exe Bcc: x@example.org"


@given(st.text(st.sampled_from(" a\né\0\ud83d"), max_size=40), st.integers(1, 20))
def test_it_is_no_longer_than_its_limit_and_stays_as_it_is(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert one_line(line, limit) == line
    assert one_line(text).startswith(line)


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert one_line("a\ud83db") == "a?b"


def test_of_mail_addresses_the_domain_is_left() -> None:
    said = "550 5.1.1 <ann.o'neil+x@lab.example>: daily.csv:3: bob@lab.example, @home, 3 @ 5.0, a@b"
    expected = "550 5.1.1 <***@lab.example>: daily.csv:3: ***@lab.example, @home, 3 @ 5.0, a@b"
    assert without_addresses(said) == expected


@given(st.emails(domains=st.just("lab.example")))
def test_no_address_is_left_whole(address: str) -> None:
    local = address.partition("@")[0]
    hidden = without_addresses(f"to {address}: no")
    assert f" {local}@" not in hidden
    assert "@lab.example" in hidden

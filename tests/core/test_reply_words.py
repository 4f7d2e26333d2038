"""What mail servers answer, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.reply_words import advice_on_reply, reply_in_words

ANSWERS = [
    (550, "5.1.1 <x@example.org>: Recipient address rejected: User unknown", "the mailbox does not exist"),
    (452, "4.2.2 The email account that you tried to reach is over quota", "the mailbox is full"),
    (451, "4.7.1 Greylisted, please come back in 5 minutes", "greylisted: the server wants us to come back later"),
    (450, "4.7.0 Graylisting in action", "greylisted: the server wants us to come back later"),
    (554, "5.7.1 Service unavailable; Client host blocked using zen.example DNSBL", "refused as spam"),
    (550, "5.7.26 unauthenticated mail", "refused: our domain's SPF, DKIM or DMARC is wrong"),
    (421, "4.7.28 rate limit exceeded", "too many mails for now"),
    (550, "5.7.1 no", "refused by the server's policy"),
    (553, "5.1.9 odd", "trouble with the address"),
    (550, "no such user", "refused by the server"),
    (450, "", "the server asks to try again later"),
    (None, "connection reset", "trouble on the way"),
    (None, "", "no answer"),
    (550, "version 10.5.1.1 of the server", "refused by the server"),  # no status code
]


@pytest.mark.parametrize(("code", "text", "meaning"), ANSWERS)
def test_answers_have_a_meaning(code: int | None, text: str, meaning: str) -> None:
    assert reply_in_words(code, text) == meaning


def test_what_we_noted_ourselves_is_said_as_it_is() -> None:
    assert reply_in_words(None, "", "given up after 12 attempts") == "given up after 12 attempts"


@given(st.none() | st.integers(200, 599), st.text(max_size=200))
def test_every_answer_has_some_meaning_in_our_own_words(code: int | None, text: str) -> None:
    meaning = reply_in_words(code, text)
    assert meaning
    assert meaning.isascii()


def test_what_an_operator_can_do_names_the_record_or_the_setting() -> None:
    refused = "5.7.515 Access denied, sending domain lab.example does not meet the required authentication level"
    assert "TXT records in DNS: SPF at lab.example" in advice_on_reply(refused, "lab.example")
    assert "_dmarc.lab.example" in advice_on_reply("550 5.7.26 unauthenticated", "lab.example")
    assert "PTR record" in advice_on_reply("550-5.7.25 no PTR", "lab.example")
    assert "NEWSLETTER_SMTP__RATE" in advice_on_reply("421 4.7.28 too many", "lab.example")
    assert advice_on_reply("550 5.1.1 no such user", "lab.example") == ""

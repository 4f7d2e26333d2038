from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.envelope import Envelope, Offers, UnusableAddressError, commands, envelope
from newsletter.delivery.smtp.session import Letter, content

RELAY = "relay.example.org:25"
SENDER = "papers@example.org"
NOTHING = Offers()
EVERYTHING = Offers.of({"size": "1000", "8bitmime": "", "smtputf8": ""})


def test_a_plain_message_to_a_plain_address_asks_for_nothing_special() -> None:
    assert envelope(Letter(SENDER, "ann@example.org", (b"Hello\r\n",)), NOTHING, RELAY) == Envelope(
        b"MAIL FROM:<papers@example.org>", b"RCPT TO:<ann@example.org>"
    )


def test_the_size_is_declared_where_the_relay_wants_to_know_it() -> None:
    assert envelope(Letter(SENDER, "ann@example.org", (b"12345\r\n",)), EVERYTHING, RELAY).mail.endswith(
        b" SIZE=7"
    )


@pytest.mark.parametrize("limit", ["", "0", "nonsense"])
def test_a_size_extension_without_a_limit_limits_nothing(limit: str) -> None:
    letter = Letter(SENDER, "ann@example.org", (b"x" * 1999, b"x"))
    assert b"SIZE=2000" in envelope(letter, Offers.of({"size": limit}), RELAY).mail


def test_a_message_over_the_relays_limit_is_our_trouble() -> None:
    with pytest.raises(RelayError, match=r"up to 1000 bytes, this one has 1001"):
        envelope(Letter(SENDER, "ann@example.org", (b"x" * 1001,)), EVERYTHING, RELAY)


def test_eight_bit_bytes_are_announced() -> None:
    mail = envelope(Letter(SENDER, "ann@example.org", ("grüß\r\n".encode(),)), EVERYTHING, RELAY).mail

    assert b" BODY=8BITMIME" in mail
    assert b"SMTPUTF8" not in mail


def test_eight_bit_bytes_are_our_trouble_where_the_relay_does_not_take_them() -> None:
    with pytest.raises(RelayError, match="8BITMIME"):
        envelope(Letter(SENDER, "ann@example.org", ("grüß\r\n".encode(),)), NOTHING, RELAY)


def test_a_non_ascii_domain_goes_out_in_its_ascii_form_without_smtputf8() -> None:
    addressed = envelope(Letter(SENDER, "ann@bücher.example", (b"Hello\r\n",)), EVERYTHING, RELAY)

    assert addressed.recipient == b"RCPT TO:<ann@xn--bcher-kva.example>"
    assert b"SMTPUTF8" not in addressed.mail


def test_a_non_ascii_local_part_asks_for_smtputf8() -> None:
    addressed = envelope(Letter(SENDER, "jörg@bücher.example", (b"Hello\r\n",)), EVERYTHING, RELAY)

    assert addressed.recipient == "RCPT TO:<jörg@xn--bcher-kva.example>".encode()
    assert addressed.mail.endswith(b" SMTPUTF8")


def test_a_non_ascii_local_part_is_unusable_where_the_relay_lacks_smtputf8() -> None:
    with pytest.raises(UnusableAddressError, match="SMTPUTF8"):
        envelope(Letter(SENDER, "jörg@example.org", (b"Hello\r\n",)), NOTHING, RELAY)


@pytest.mark.parametrize(
    "address", ["", "ann", "ann@example.org>\r\nRCPT TO:<eve@example.org", "a nn@example.org", "ü@-.example"]
)
def test_what_is_no_address_never_gets_into_a_command(address: str) -> None:
    with pytest.raises(UnusableAddressError):
        envelope(Letter(SENDER, address, (b"Hello\r\n",)), EVERYTHING, RELAY)


@pytest.mark.parametrize("sender", ["pap ers@example.org", "pâpers@example.org", "a@example.org>\r\nDATA"])
def test_a_sender_that_cannot_stand_in_a_command_is_our_trouble(sender: str) -> None:
    with pytest.raises(RelayError, match="envelope sender"):
        envelope(Letter(sender, "ann@example.org", (b"Hello\r\n",)), EVERYTHING, RELAY)


@given(
    sender=st.sampled_from(
        [SENDER, "", "papers+1-ab@example.org", "pap ers@example.org", "a@example.org>\r\nDATA"]
    ),
    recipient=st.one_of(
        st.text(st.sampled_from("aZ0+-.@<> é\r\n\x7f\"'"), max_size=8),
        st.just("ann@example.org"),
    ),
    pieces=st.sampled_from([(b"Hello\r\n",), (b"x" * 999, b"x"), (b"x" * 999, b"xx")]),
    is_plain=st.booleans(),
    offers=st.sampled_from([NOTHING, EVERYTHING, Offers(size=True)]),
)
def test_the_commands_are_those_of_the_envelope_in_one_piece(
    sender: str, recipient: str, pieces: tuple[bytes, ...], is_plain: bool, offers: Offers
) -> None:
    letter = Letter(sender, recipient, pieces, is_plain)

    def of_envelope() -> bytes:
        return b"\r\n".join((*envelope(letter, offers, RELAY), b"DATA\r\n"))

    assert _result(lambda: commands(letter, offers, RELAY)) == _result(of_envelope)


def _result(write: Callable[[], bytes]) -> bytes | str:
    try:
        return write()
    except (RelayError, UnusableAddressError) as error:
        return repr(error)


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (b"Hello\r\n", b"Hello\r\n.\r\n"),
        (b"Hello", b"Hello\r\n.\r\n"),
        (b".\r\nHello\r\n", b"..\r\nHello\r\n.\r\n"),
        (b"a\r\n.\r\n..b\r\n", b"a\r\n..\r\n...b\r\n.\r\n"),
        (b"a\n.\nb\r\n", b"a\n..\nb\r\n.\r\n"),
    ],
)
def test_lines_that_begin_with_a_dot_get_another_one(message: bytes, sent: bytes) -> None:
    pieces, end = content(Letter(SENDER, "ann@example.org", (message,)))
    assert b"".join((*pieces, end)) == sent


@pytest.mark.parametrize(
    ("size", "limit"),
    [
        ("1000", 1000),
        (" 1000 ", 1000),
        ("9" * 20, int("9" * 20)),
        ("9" * 21, 0),
        ("9" * 5000, 0),
        ("", 0),
        ("0", 0),
        ("-5", 0),
        ("+5", 0),
        ("1e9", 0),
        ("10 20", 0),
        ("10_000", 0),
        ("١٠٠٠", 0),
        ("²", 0),
        ("nonsense", 0),
    ],
)
def test_a_size_that_is_no_size_sets_no_limit(size: str, limit: int) -> None:
    assert Offers.of({"size": size}).limit == limit


@given(st.text())
def test_any_size_that_a_relay_may_say_can_be_read(size: str) -> None:
    assert 0 <= Offers.of({"size": size}).limit < 10**20

from __future__ import annotations

import pytest

from newsletter.core.errors import RenderError
from newsletter.render.mime.addresses import Mailbox, wire_address


@pytest.mark.parametrize(
    ("email", "wire"),
    [
        ("reader@example.org", "reader@example.org"),
        ("reader@bücher.example", "reader@xn--bcher-kva.example"),
        ("reader@straße.example", "reader@xn--strae-oqa.example"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ('"a reader"@example.org', '"a reader"@example.org'),
        ("reader@[192.0.2.1]", "reader@[192.0.2.1]"),
    ],
)
def test_a_domain_goes_out_in_ascii_and_the_local_part_as_it_is(email: str, wire: str) -> None:
    assert wire_address(email) == wire


@pytest.mark.parametrize(
    "email",
    [
        "",
        "reader",
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "<a@example.org>",
        "a b@example.org",
        "a@exa mple.org",
        "a@b@example.org",
        "a\u202eb@example.org",
        "a\ud800@example.org",
        "a@..bücher.example",
        "a" * 250 + "@example.org",
    ],
)
def test_what_is_not_one_address_is_refused(email: str) -> None:
    with pytest.raises(RenderError, match="is not an address"):
        wire_address(email)


def test_a_sender_is_read_with_its_name() -> None:
    sender = Mailbox.parse('"Papers, Daily" <papers@bücher.example>')
    assert sender == Mailbox("Papers, Daily", "papers@xn--bcher-kva.example")
    assert sender.domain == "xn--bcher-kva.example"
    assert Mailbox.parse("papers@example.org") == Mailbox("", "papers@example.org")

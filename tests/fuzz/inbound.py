"""Mails that come back, made by chance."""

from __future__ import annotations

from newsletter.core.bounces import kind_of_failure
from newsletter.core.text import CONTROLS
from newsletter.inbound.reports import read_mail
from tests.fuzz.target import Target, text_target
from tests.inbound.corpus import DELIVERY, LINKS, REPORTS


def _read(text: str) -> None:
    for event in read_mail(text.encode("utf-8", "surrogatepass"), LINKS).events:
        assert event.delivery_key in {None, DELIVERY}
        assert CONTROLS.search(event.text + event.status + event.address) is None


def _understood(text: str) -> None:
    kind_of_failure(text[:20], text)


TARGETS: tuple[Target, ...] = (
    text_target("mails that come back", "inbound", _read, tuple(case.raw for case in REPORTS), longest=100_000),
    text_target("failures", "inbound", _understood, ("550 5.1.1 user unknown", "mailbox is full", "too large")),
)

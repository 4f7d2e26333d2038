"""Checks by themselves: what they say where things are neither all right nor simply broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.core.certificate import Certificate
from newsletter.core.diagnosis import Diagnosis, ok
from newsletter.core.errors import ConfigurationError, NoAnswerError, RelaySetupError
from newsletter.core.tokens import Links
from newsletter.delivery.dns import DnsResolver
from newsletter.operations.doctor.dkim import left_to_relays
from newsletter.operations.doctor.dmarc import dmarc
from newsletter.operations.doctor.examination import Check, examined
from newsletter.operations.doctor.machine import Space, disk
from newsletter.operations.doctor.names import mx, ptr
from newsletter.operations.doctor.site import PublicPages
from newsletter.operations.doctor.spf import SendingHost, spf
from newsletter.ports.website import WebAnswer
from newsletter.settings import load
from newsletter.sources.http.website import PlainWebsite
from tests.doctor.name_server import Zone, name_server

NOW = datetime(2026, 3, 12, tzinfo=UTC)
GMAIL = SendingHost("smtp.gmail.com", is_own=False)
SES = SendingHost("email-smtp.eu-west-1.amazonaws.com", is_own=False)
OTHER = SendingHost("smtp.host.example", is_own=False)


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    made = Zone()
    async with name_server(made):
        yield made


def resolver(zone: Zone) -> DnsResolver:
    return DnsResolver([("127.0.0.1", zone.port)])


def said(found: list[Diagnosis]) -> list[str]:
    return [f"{one.status}: {one.says}" for one in found]


async def test_a_check_that_fails_hangs_or_is_defective_costs_the_others_nothing() -> None:
    async def fine() -> list[Diagnosis]:
        return [ok("fine", "well")]

    async def defective() -> list[Diagnosis]:
        raise KeyError("x")

    async def hangs() -> list[Diagnosis]:
        await asyncio.Event().wait()
        return []

    async def wrong() -> list[Diagnosis]:
        raise ConfigurationError("the key is wrong; set NEWSLETTER_X to another; or none")

    async def refused() -> list[Diagnosis]:
        raise RelaySetupError("it is closed")

    checks = [Check(one.__name__, one) for one in (hangs, defective, fine, wrong, refused)]
    found = await examined(checks, within=0.2)
    assert [(one.check, one.status.value) for one in found] == [
        *(("hangs", "warn"), ("defective", "fail"), ("fine", "ok"), ("wrong", "fail"), ("refused", "fail"))
    ]
    assert found[1].says == "the check itself is defective: KeyError: 'x'"
    assert (found[3].says, found[3].do) == ("the key is wrong", "set NEWSLETTER_X to another; or none")
    assert all(one.do for one in found if one.check != "fine")


async def test_spf_is_looked_at_for_each_relay(zone: Zone) -> None:
    zone.add("lab.example", "TXT", "v=spf1 include:_spf.google.com -all")
    zone.add("_spf.google.com", "TXT", "v=spf1 include:_netblocks.google.com ~all")
    zone.add("_netblocks.google.com", "TXT", "v=spf1 ip4:203.0.113.0/24 ~all")
    zone.add("bare.example", "TXT", "v=spf1 -all")
    zone.add("by-name.example", "TXT", "v=spf1 include:spf.host.example -all")
    zone.add("spf.host.example", "TXT", "v=spf1 -all")
    dns = resolver(zone)
    assert said(await spf(dns, "lab.example", [GMAIL], "")) == [
        "ok: lab.example: 2 of 10 lookups; it allows smtp.gmail.com"
    ]
    assert said(await spf(dns, "bare.example", [GMAIL, SES, OTHER], "")) == [
        "fail: bare.example: its SPF record does not include _spf.google.com, by which smtp.gmail.com sends",
        "warn: bare.example: its SPF record names nothing of smtp.host.example",
    ]
    assert said(await spf(dns, "by-name.example", [OTHER], ""))[0].startswith("ok")
    [missing] = await spf(dns, "none.example", [GMAIL], "")
    assert "v=spf1 include:_spf.google.com ~all" in missing.do


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=spf1 include:loop.example -all", "takes at least 30 lookups, of at most 10"),
        ("v=spf1 a:x.example a:y.example a:z.example -all", "names x.example, y.example, z.example, which DNS"),
        ("v=spf1 include:none.example -all", "none.example has no SPF record"),
    ],
)
async def test_an_spf_record_that_receivers_take_as_an_error_is_broken(
    zone: Zone, record: str, words: str
) -> None:
    zone.add("loop.example", "TXT", record)
    [found] = said(await spf(resolver(zone), "loop.example", [OTHER], ""))
    assert found.startswith("fail")
    assert words in found
    zone.add("loop.example", "TXT", "v=spf1 -all")
    assert "has 2 SPF records" in said(await spf(resolver(zone), "loop.example", [OTHER], ""))[0]


async def test_mail_servers_and_names_of_addresses_are_looked_at(zone: Zone) -> None:
    zone.add("null.example", "MX", "0 .")
    zone.add("own.example", "A", "192.0.2.1")
    zone.add("1.2.0.192.in-addr.arpa", "PTR", "other.example.")
    dns = resolver(zone)
    assert [one.status.value for one in [await mx(dns, "null.example"), await mx(dns, "own.example")]] == [
        "fail",
        "warn",
    ]
    assert said(await ptr(dns, "own.example")) == [
        "fail: 192.0.2.1: its PTR record names other.example, which is not at that address"
    ]
    assert said(await ptr(dns, "")) == ["warn: this machine has no full name"]
    assert said(await ptr(dns, "none.example"))[0].startswith("warn: none.example: DNS has no address")
    zone.add("other.example", "A", "192.0.2.1")
    assert said(await ptr(resolver(zone), "own.example")) == ["ok: 192.0.2.1: is other.example, and back"]


async def test_dmarc_is_found_by_the_walk_and_several_records_are_none(zone: Zone) -> None:
    zone.add("_dmarc.lab.example", "TXT", "v=DMARC1; p=reject; sp=none")
    zone.add("_dmarc.two.example", "TXT", "v=DMARC1; p=none", "v=DMARC1; p=reject")
    dns = resolver(zone)
    assert said(await dmarc(dns, "news.lab.example", signing="lab.example", envelope="other.example")) == [
        "ok: news.lab.example: none, by _dmarc.lab.example; signature aligned"
    ]
    assert said(await dmarc(dns, "two.example", signing=None, envelope="two.example"))[0].startswith(
        "fail: _dmarc.two.example: there are 2 DMARC records"
    )
    assert said(await dmarc(dns, "lab.example", signing=None, envelope="relay.example")) == [
        "ok: lab.example: reject, by _dmarc.lab.example; whether the relay signs for it is not known here"
    ]


async def test_what_others_wrote_into_dns_stays_one_line_of_text(zone: Zone) -> None:
    zone.records["_dmarc.lab.example.", "TXT"] = ['"v=DMARC1; p=\\027[31m\\226\\128\\174x\\010y"']
    [found] = await dmarc(resolver(zone), "lab.example", signing=None, envelope="lab.example")
    assert found.says.isprintable()


def test_who_signs_where_we_do_not() -> None:
    assert left_to_relays([GMAIL]).status.value == "ok"
    assert left_to_relays([GMAIL, SendingHost("localhost", is_own=True)]).status.value == "warn"


def test_each_file_system_is_looked_at_once() -> None:
    spaces = {
        "a": Space(1, 10**10, 5),
        "b": Space(1, 10**10, 5),
        "c": Space(2, 3 * 10**8, 5),
        "d": Space(3, -1, -1),
    }
    found = disk((Path(name) for name in (*spaces, "e")), lambda path: spaces.get(path.name, Space(4, 10**9, 0)))
    assert [f"{one.status}: {one.says}" for one in found] == [
        *("ok: a: 10.0 GB are free", "warn: c: 300 MB are free"),
        "ok: d: its file system does not say how much is free",
        "fail: e: there is no room for another file",
    ]


class _Pages(PlainWebsite):
    """A website whose answers are given."""

    def __init__(self, *answers: WebAnswer) -> None:
        self._answers = list(answers)

    async def ask(self, method: str, url: str, form: bytes = b"") -> WebAnswer:
        assert method == ("POST" if form else "GET")
        return self._answers.pop(0)


TEST_COPY = b"This is a test copy."


def answer(status: int, body: bytes = b"", *, days: int = 60) -> WebAnswer:
    certificate = Certificate(("papers.example.org",), NOW + timedelta(days=days))
    return WebAnswer(status=status, location="", date=None, body=body, certificate=certificate)


@pytest.mark.parametrize(
    ("health", "click", "expected"),
    [
        (answer(404), answer(404), [("fail", "public-url")]),
        (
            answer(503),
            answer(200, TEST_COPY),
            [("ok", "public-url"), ("ok", "one-click"), ("fail", "health")],
        ),
        (answer(200), answer(200, b"<html>"), [("ok", "public-url"), ("fail", "one-click"), ("ok", "health")]),
        (answer(502), answer(502), [("ok", "public-url"), ("fail", "one-click")]),
        (
            answer(200, days=5),
            answer(200, TEST_COPY),
            [("warn", "public-url"), ("ok", "one-click"), ("ok", "health")],
        ),
    ],
)
async def test_pages_that_answer_otherwise_are_told_apart(
    health: WebAnswer, click: WebAnswer, expected: list[tuple[str, str]]
) -> None:
    links = Links("https://papers.example.org", "not a secret, being in a test")
    pages = PublicPages(
        url=links.public_url, links=links, website=_Pages(health, click), has_mailbox=False, trying_out=False
    )
    assert [(one.status.value, one.check) for one in await pages.look(NOW)] == expected


async def test_a_website_that_sends_byte_by_byte_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.sources.http.website._WHOLE", 0.5)

    is_left = asyncio.Event()

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        is_left.set()

    async def nowhere(_: str) -> list[str]:
        return []

    website = PlainWebsite("test", nowhere)
    async with await asyncio.start_server(slow, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            with pytest.raises(NoAnswerError):
                await website.ask("GET", f"http://127.0.0.1:{port}/")
            await is_left.wait()
    with pytest.raises(NoAnswerError, match=r"papers\.example has no address in DNS"):
        await website.ask("GET", "https://papers.example/")
    for wrong in ("https://papers.example:99999/", "ftp://papers.example/", "https://"):
        with pytest.raises(NoAnswerError, match="no address of a website"):
            await website.ask("GET", wrong)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("9.9.9.9, 192.0.2.1:5353", (("9.9.9.9", 53), ("192.0.2.1", 5353))),
        ("[2001:db8::1]:54,2001:db8::2", (("2001:db8::1", 54), ("2001:db8::2", 53))),
        ("", ()),
    ],
)
def test_name_servers_are_addresses_with_or_without_a_port(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: object
) -> None:
    monkeypatch.setenv("NEWSLETTER_DOCTOR__RESOLVER", value)
    assert load(None).doctor.resolver == expected


@pytest.mark.parametrize("value", ["dns.example", "9.9.9.9:0", "9.9.9.9:x", "[::1]:99999"])
def test_what_is_no_address_of_a_name_server_is_a_mistake(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NEWSLETTER_DOCTOR__RESOLVER", value)
    with pytest.raises(ConfigurationError, match=r"NEWSLETTER_DOCTOR__RESOLVER: "):
        load(None)

"""`newsletter doctor`: in good order all is well; where one thing is broken, that is named and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
import pytest_asyncio

from newsletter.core.diagnosis import Health
from newsletter.operations.doctor.machine import Space
from tests.cli.conftest import call
from tests.doctor.surroundings import ED25519, LIST, LOGIN, Surroundings, World, key_record, surroundings, world
from tests.smtp_server import Certificates, SmtpServer

__all__ = ["call"]

Breaks: TypeAlias = Callable[[Surroundings], SmtpServer | None]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def around(shared: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Surroundings]:
    async with surroundings(shared, tmp_path, monkeypatch) as made:
        yield made


async def test_in_good_surroundings_all_is_well(around: Surroundings) -> None:
    found = await around.examined()
    assert [one for one in found if one.status is not Health.OK] == []
    # In a stable order, and each check there is.
    assert [one.check for one in found] == [
        *("settings", "list-files", "timezones", "database", "backup", "clock", "disk", "relay", "mx", "spf"),
        *("dkim", "dkim", "dmarc", "ptr", "public-url", "one-click", "health", "alarm"),
    ]
    [relay] = [one.says for one in found if one.check == "relay"]
    assert (
        f"localhost:{around.relay.port}: STARTTLS, certificate for localhost, 127.0.0.1, papers.example.org, "
        in relay
    )
    assert relay.endswith(" days left, login taken, mails up to 32.0 MB, PIPELINING")
    assert not around.relay.received
    assert LOGIN[1] not in str(found)


def setting(**settings: str) -> Breaks:
    def breaks(around: Surroundings) -> None:
        around.settings |= settings

    return breaks


def record(name: str, kind: str, *values: str) -> Breaks:
    return lambda around: around.zone.replace(name, kind, *values)


def list_file(old: str, new: str) -> Breaks:
    return lambda around: around.list_file(LIST.replace(old, new))


def untrusted(around: Surroundings) -> SmtpServer:
    return SmtpServer(tls=Certificates("localhost"), login=LOGIN)


def of_another_name(around: Surroundings) -> SmtpServer:
    (around.folder / "other").mkdir()
    other = Certificates("mail.other.example")
    around.settings["SMTP__CA_FILE"] = str(other.write(around.folder / "other"))
    return SmtpServer(tls=other, login=LOGIN)


def small(around: Surroundings) -> SmtpServer:
    return SmtpServer(tls=around.relay.tls, login=LOGIN, size=50_000)


def not_for_us(around: Surroundings) -> None:
    around.relay.answer("RCPT", "554 5.7.1 Relay access denied")


def other_key(around: Surroundings) -> None:
    around.zone.replace("two._domainkey.lab.example", "TXT", key_record("two", ED25519).replace("p=", "p=AAAA"))


def other_signing_domain(around: Surroundings) -> None:
    for selector in ("one", "two"):
        [(_, published)] = [
            (name, value)
            for (name, _), value in around.zone.records.items()
            if name.startswith(f"{selector}._dom")
        ]
        around.zone.records[f"{selector}._domainkey.other.example.", "TXT"] = published
    around.settings["DKIM__DOMAIN"] = "other.example"


def eleven_lookups(around: Surroundings) -> None:
    names = [f"spf{number}.lab.example" for number in range(10)]
    around.zone.replace(
        "lab.example", "TXT", f"v=spf1 a mx {' '.join(f'include:{one}' for one in names[:8])} -all"
    )
    around.zone.add("lab.example", "A", "192.0.2.25")
    for one in names[:8]:
        around.zone.add(one, "TXT", "v=spf1 ip4:198.51.100.0/24 -all")
    around.zone.replace(names[0], "TXT", "v=spf1 a:mail.lab.example -all")


def redirected(around: Surroundings) -> None:
    around.world.redirects_posts = True


def older_tables(around: Surroundings) -> None:
    with sqlite3.connect(around.folder / "newsletter.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0021'")
    database.close()


def no_database(around: Surroundings) -> None:
    (around.folder / "newsletter.db").write_text("this is no database, but a text" * 100)


def full_disk(around: Surroundings) -> None:
    around.monkeypatch.setattr(
        "newsletter.composition.examining.checks.space_of", lambda _folder: Space(1, 5_000_000, 1000)
    )


def clock_ahead(around: Surroundings) -> None:
    around.world.clock_is_off = timedelta(hours=-1)


def no_timezone_data(around: Surroundings) -> None:
    around.monkeypatch.setattr("newsletter.operations.doctor.machine.ZoneInfo", _no_zone)


def _no_zone(name: str) -> None:
    raise OSError(f"no file of {name}")


def no_answer_of_dns(around: Surroundings) -> None:
    around.zone.is_silent = True
    around.settings["WEB__PUBLIC_URL"] = ""
    around.settings["INBOUND__MAILDIR"] = str(around.folder / "mail")
    for part in ("cur", "new", "tmp"):
        (around.folder / "mail" / part).mkdir(parents=True)


# What is broken, and which check says so in which words.
BROKEN: dict[str, tuple[Breaks, str, str]] = {
    "wrong password": (setting(SMTP__PASSWORD="guessed"), "relay", "refuses the login: 535"),
    "no STARTTLS": (lambda _: SmtpServer(), "relay", "does not offer STARTTLS"),
    "self-signed certificate": (untrusted, "relay", "is not trusted: unable to get local issuer"),
    "wrong name in the certificate": (of_another_name, "relay", "is not trusted: Hostname mismatch"),
    "relay closed": (setting(SMTP__PORT="9"), "relay", "cannot connect to localhost:9"),
    "relay not for us": (not_for_us, "relay", "operator@lab.example: 554 5.7.1 Relay access denied"),
    "small SIZE": (small, "relay", "takes mails of at most 50,000 bytes (SIZE)"),
    "no DKIM record": (
        record("one._domainkey.lab.example", "TXT"),
        "dkim",
        "one._domainkey.lab.example: there is no",
    ),
    "another DKIM key": (other_key, "dkim", "two._domainkey.lab.example: another key than the one that signs"),
    "revoked DKIM key": (record("one._domainkey.lab.example", "TXT", "v=DKIM1; p="), "dkim", "the key is revoked"),
    "no SPF": (record("lab.example", "TXT", "other"), "spf", "lab.example: there is no SPF record"),
    "SPF with eleven lookups": (eleven_lookups, "spf", "takes 11 lookups, of at most 10"),
    "SPF of another machine": (
        record("lab.example", "TXT", "v=spf1 ip4:192.0.2.9 ~all"),
        "spf",
        "allow 192.0.2.25",
    ),
    "SPF with a mistake": (
        record("lab.example", "TXT", "v=spf1 ipv4:192.0.2.25 -all"),
        "spf",
        "'ipv4:192.0.2.25'",
    ),
    "no DMARC": (record("_dmarc.lab.example", "TXT"), "dmarc", "lab.example: there is no DMARC record"),
    "DMARC not aligned": (other_signing_domain, "dmarc", "lab.example: not aligned: a signature of other.example"),
    "no MX": (record("lab.example", "MX"), "mx", "lab.example: has no MX record and no address"),
    "no PTR": (record("25.2.0.192.in-addr.arpa", "PTR"), "ptr", "192.0.2.25: has no PTR record"),
    "POST redirected": (redirected, "one-click", "is redirected (301) to https://www.example.org/"),
    "public address on loopback": (
        setting(WEB__PUBLIC_URL="https://127.0.0.1:8000"),
        "public-url",
        "no host that",
    ),
    "public address without TLS": (
        setting(WEB__PUBLIC_URL="http://papers.example.org"),
        "public-url",
        "no https://",
    ),
    "another secret key": (
        setting(WEB__SECRET_KEY="a key of another day"),
        "one-click",
        "NEWSLETTER_WEB__SECRET_KEY",
    ),
    "database not upgraded": (older_tables, "database", "its tables are of revision 0021"),
    "database unreachable": (no_database, "database", "file is not a database"),
    "disk full": (full_disk, "disk", "5 MB are free"),
    "clock an hour ahead": (clock_ahead, "clock", "is 1 h 0 min ahead of 127.0.0.1:"),
    "timezone data missing": (no_timezone_data, "timezones", "no timezone data for Europe/London"),
    "DNS silent": (no_answer_of_dns, "dns", "no answer from DNS"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_what_is_broken_is_named_and_nothing_else(around: Surroundings, what: str) -> None:
    breaks, check, words = BROKEN[what]
    async with AsyncExitStack() as stack:
        if relay := breaks(around):
            await around.serve_again(stack, relay)
        troubles = await around.troubles()
    assert [(one.status, one.check) for one in troubles] == [(Health.FAIL, check)], troubles
    assert words in troubles[0].says
    assert troubles[0].do
    assert not any(secret in str(troubles) for secret in (LOGIN[1], around.settings["SMTP__PASSWORD"]))


async def test_a_wrong_list_file_is_named_with_its_line_and_its_domain_is_not_guessed(
    around: Surroundings,
) -> None:
    around.list_file(LIST.replace("Europe", "Eurasia"))
    troubles = await around.troubles()
    assert [(one.status, one.check) for one in troubles] == [(Health.FAIL, "list-files"), (Health.WARN, "dns")]
    assert "daily.toml:4" in troubles[0].says


async def test_the_key_in_a_feeds_address_is_shown_nowhere(around: Surroundings) -> None:
    for host, status in ((f"127.0.0.1:{around.world.clock_port}", Health.OK), ("127.0.0.1:9", Health.WARN)):
        around.list_file(LIST.replace("huggingface", f"feed:http://{host}/feed?key=letmein"))
        found = await around.examined()
        assert [one.status for one in found if one.check == "clock"] == [status]
        assert "letmein" not in str(found)

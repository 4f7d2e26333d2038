"""What comes back through a real mail server, read by the command: who is not there gets no further mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.delivery.conftest import ca_file, certificates
from tests.delivery.postfix import PASSWORD, USER, Postfix, postfix
from tests.e2e.test_run import PAGE, save_page
from tests.e2e.workplace import Workplace
from tests.smtp_server import Certificates

__all__ = ["ca_file", "certificates"]

KNOWN = ["ann@example.org", *(f"known{number}@example.org" for number in range(19))]
UNKNOWN = [f"unknown{number}@example.org" for number in range(5)]
MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)
# It takes mail for whomever, finds later that it knows nobody of that name, and says so to the envelope sender.
_BOUNCES = """
recipient_delimiter = +
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
"""
_REWRITES = """
sender_canonical_classes = envelope_sender
sender_canonical_maps = static:bounces@example.org
"""


@asynccontextmanager
async def mail_server(certificates: Certificates, *, rewrites: bool) -> AsyncIterator[Postfix]:
    """Run a Postfix that knows some of the readers, and delivers what comes back to a Maildir."""
    mailboxes = dict.fromkeys(KNOWN, "box") | {"bounces@example.org": "bounces"}
    async with postfix(certificates, more=_BOUNCES + _REWRITES * rewrites, mailboxes=mailboxes) as server:
        yield server


def readers(workplace: Workplace, server: Postfix, ca_file: Path) -> None:
    """Write a list with all readers, known and unknown, for this server."""
    more = "".join(f'\n[[subscribers]]\nemail = "{one}"\n' for one in (*KNOWN[1:], *UNKNOWN))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace("days =", 'bounces_to = "bounces@example.org"\ndays ='))
    workplace.port = server.port
    workplace.environment |= {
        "NEWSLETTER_SMTP__HOST": "localhost",
        "NEWSLETTER_SMTP__SECURITY": "starttls",
        "NEWSLETTER_SMTP__CA_FILE": str(ca_file),
        "NEWSLETTER_SMTP__USERNAME": USER,
        "NEWSLETTER_SMTP__PASSWORD": PASSWORD,
        "NEWSLETTER_INBOUND__MAILDIR": str(server.maildir.with_name("bounces")),
    }


async def sent(workplace: Workplace, number: int) -> int:
    """Make the issue of a day of the week, and return to how many readers it went."""
    at = MONDAY + timedelta(days=number)
    workplace.set_clock(at)
    title = ["Hashing by Hand", "Searching by Luck"][number]
    save_page(workplace, f"{at:%Y-%m-%d}", PAGE.replace("Sorting by Patience", title))
    done = await workplace.run("run", "--date", f"{at:%Y-%m-%d}", "--json")
    assert done.code == 0, done.err
    return int(done.json["deliveries"]["sent"])


@pytest.mark.parametrize("rewrites", [False, True], ids=["by the envelope", "by our header"])
async def test_five_unknown_readers_of_twenty_five_bounce_and_the_next_issue_goes_to_twenty(
    workplace: Workplace, certificates: Certificates, ca_file: Path, *, rewrites: bool
) -> None:
    async with mail_server(certificates, rewrites=rewrites) as server:
        readers(workplace, server, ca_file)
        assert await sent(workplace, 0) == 25
        await server.mails(20)
        returned = await server.mails(5, "bounces")
        assert len(returned) == 5
        assert all(b"\nTo: bounces+" in mail for mail in returned) is not rewrites

        processed = await workplace.run("inbound", "process", "--json")

        assert processed.code == 0, processed.err
        assert processed.json["outcomes"] == {"dead": 5}
        assert {one["found_by"] for one in processed.json["events"]} == {"header" if rewrites else "envelope"}
        suppressed = (await workplace.run("suppressions", "list", "--json")).json
        assert [(one["address"], one["held"]) for one in suppressed] == [(one, False) for one in UNKNOWN]
        assert (await workplace.run("bounces", "process", "--json")).json["mails"] == 0

        assert await sent(workplace, 1) == 20
        await server.mails(40)
        [row] = (await workplace.run("status", "--json")).json
        assert row["inbound"] == {"processed": 5, "forged": 0, "unknown": 0, "outcomes": {"dead": 5}}

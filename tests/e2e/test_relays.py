"""A relay as people have them: with tokens that end, and a quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace
from tests.smtp_server import SmtpServer
from tests.token_server import token_server

EIGHT = datetime(2026, 3, 12, 8, 30, tzinfo=UTC)
USER = "papers@example.org"
RUN = ("run", "--date", "2026-03-12", "--json")


@pytest.mark.without_workers  # when a job is tried again is told by the clock of the database, which can't be set
async def test_what_is_over_the_quota_goes_out_on_the_next_day_with_new_tokens(
    workplace: Workplace,
) -> None:
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(3))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    workplace.set_clock(EIGHT)
    async with (
        token_server() as issuer,
        SmtpServer(tokens={"token-1": USER, "token-3": USER}) as server,
    ):
        workplace.port = server.port
        workplace.environment |= {
            "NEWSLETTER_SMTP__USERNAME": USER,
            "NEWSLETTER_SMTP__OAUTH_TOKEN_URL": issuer.url,
            "NEWSLETTER_SMTP__OAUTH_CLIENT_ID": "our-id",
            "NEWSLETTER_SMTP__OAUTH_CLIENT_SECRET": "our secret",
            "NEWSLETTER_SMTP__PER_DAY": "3",
        }
        first = await workplace.run(*RUN)
        again = await workplace.run(*RUN)  # asks nobody for a token
        status = await workplace.run("status")
        workplace.set_clock(EIGHT + timedelta(hours=24, minutes=6))
        rest = await workplace.run(*RUN)  # its first token is refused

    assert (first.code, first.json["status"], first.json["deliveries"]["sent"]) == (75, "partial", 3), first.err
    assert "3 mails in 24 hours, and all of them are used" in first.json["reason"]
    assert (again.code, again.json["sent_now"]) == (75, 0)
    assert f"quota        127.0.0.1:{server.port}: used up until 2026-03-13 08:35" in status.out
    assert f"relay        127.0.0.1:{server.port}: its quota is used up" in status.out
    waits = "due by now: the quota is used up until 2026-03-13 08:35; `newsletter run` sends them after that"
    assert f"unfinished   2026-03-12: 1 queued, {waits}" in status.out
    assert (rest.code, rest.json["status"], rest.json["deliveries"]["sent"]) == (0, "sent", 4), rest.err
    assert (issuer.given, set(server.copies().values())) == (3, {1})
    assert "our secret" not in first.err + again.err + rest.err


@pytest.mark.by_workers
async def test_a_run_says_that_the_quota_is_used_up(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"], more='\n[[subscribers]]\nemail = "bob@example.org"\n')
    save_page(workplace)
    workplace.environment["NEWSLETTER_SMTP__PER_DAY"] = "1"

    first = await workplace.run(*RUN)
    again = await workplace.run(*RUN)

    for done in (first, again):
        assert (done.code, done.json["status"], done.json["deliveries"]["sent"]) == (75, "partial", 1), done.err
        assert "1 mail in 24 hours, and all of them are used" in done.json["reason"]
    assert len(workplace.mails()) == 1

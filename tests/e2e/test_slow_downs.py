"""What holds mail up, from one command to the next."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace
from tests.smtp_server import SmtpServer

READERS = "".join(f'\n[[subscribers]]\nemail = "reader{number}@slow.example"\n' for number in range(3))


async def test_a_domain_that_asked_to_slow_down_is_shown(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"], more=READERS)
    save_page(workplace)
    async with SmtpServer() as server:
        server.answer("RCPT", "451 4.7.0 [slow]")
        workplace.port = server.port
        workplace.environment["NEWSLETTER_DELIVERY__DOMAINS"] = '{"Slow.Example": {"connections": 1}}'
        await workplace.run("run", "--date", "2026-03-12")
    (slow,) = (await workplace.run("deliveries", "slow-downs", "--json")).json
    status = await workplace.run("status")
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace('timezone = "UTC"', 'timezone = "Asia/Tokyo"'))
    table = (await workplace.run("deliveries", "slow-downs")).out

    since = datetime.fromisoformat(slow["since"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert "since (Asia/Tokyo)" in table
    assert f"{since:%Y-%m-%d %H:%M}" in table
    assert (slow["kind"], slow["name"], slow["reason"]) == ("domain", "slow.example", "451 4.7.0 [slow]")
    assert "slow.example" in status.out
    assert "451 4.7.0 [slow]" in status.out
    assert isinstance((await workplace.run("status", "--json")).json, list)


async def test_a_relay_in_trouble_is_shown_until_it_works_again(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    async with SmtpServer() as server:
        server.answer("GREETING", "554 5.3.2 not today")
        workplace.port = server.port
        await workplace.run("run", "--date", "2026-03-12")
        (relay,) = (await workplace.run("deliveries", "slow-downs", "--json")).json
        status = await workplace.run("status")
        server.works_again()
        sent = await workplace.run("run", "--date", "2026-03-12", "--json")

    assert (relay["kind"], relay["name"], relay["given_up"]) == ("relay", f"127.0.0.1:{server.port}", True)
    assert "554 5.3.2 not today" in relay["reason"]
    assert "tried again by the next run" in status.out
    assert sent.json["deliveries"]["sent"] == 1
    assert (await workplace.run("deliveries", "slow-downs", "--json")).json == []

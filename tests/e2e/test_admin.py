"""The operator's pages of `newsletter serve`, while an issue goes out."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx2

from tests.e2e.test_serve import due_list, served, until
from tests.e2e.workplace import Workplace

TOKEN = "a token that nobody guesses"
READERS = 80


async def test_an_operator_pauses_an_issue_that_goes_out_and_lets_it_go_on(workplace: Workplace) -> None:
    hour = datetime.now(UTC) - timedelta(minutes=2)
    due_list(workplace, hour)
    path = workplace.folder / "subscribers" / "daily.toml"
    people = [f'\n[[subscribers]]\nemail = "reader{number}@lab.example"\n' for number in range(1, READERS)]
    path.write_text(path.read_text() + "".join(people))
    workplace.environment |= {"NEWSLETTER_WEB__ADMIN_TOKEN": TOKEN, "NEWSLETTER_SMTP__RATE": "10"}
    issue = f"issues/daily/{hour:%Y-%m-%d}/"
    async with served(workplace) as url, httpx2.AsyncClient(base_url=f"{url}/-/admin/", timeout=30) as client:
        await until(lambda: len(workplace.mails()) >= 3)
        assert (await client.post("sign-in", data={"token": TOKEN})).status_code == 303
        assert (await client.post(issue, data={"action": "pause"})).status_code == 303
        await asyncio.sleep(3)
        sent = len(workplace.mails())
        assert sent < READERS - 10
        await asyncio.sleep(2)  # two ticks
        assert len(workplace.mails()) == sent
        assert f"daily of {hour:%Y-%m-%d} is paused." in (await client.get("")).text

        await client.post(issue, data={"action": "resume"})
        await until(lambda: len(workplace.mails()) == READERS)
        first = (await client.get("")).text
        assert "all sent" in first
        assert "needs you" not in first
    assert set(Counter(mail["To"] for mail in workplace.mails()).values()) == {1}

"""Signing up at `newsletter serve`, from the form to the first issue; and the reminder by the next `run`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import httpx2

from tests.e2e.test_serve import due_list, served, until
from tests.e2e.workplace import Workplace, part


def to(workplace: Workplace, address: str) -> list[EmailMessage]:
    return [mail for mail in workplace.mails() if mail["To"] == address]


def open_list(workplace: Workplace, hour: datetime) -> None:
    due_list(workplace, hour)
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace("\n\n[[", '\nsignup = "open"\n\n[[', 1))


async def test_somebody_signs_up_gets_the_newest_issue_and_who_does_not_answer_is_reminded_once(
    workplace: Workplace,
) -> None:
    open_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    async with served(workplace) as url, httpx2.AsyncClient(trust_env=False) as client:
        await until(lambda: len(workplace.mails()) == 1)
        for email in ("ben@example.org", "cleo@example.org"):
            answer = await client.post(f"{url}/-/signup/daily", data={"email": email})
            assert "Check your inbox" in answer.text
            await until(lambda email=email: len(to(workplace, email)) == 1)  # type: ignore[misc]
        [link] = re.findall(r"http\S+/-/confirm/\S+", part(to(workplace, "ben@example.org")[0], "plain"))
        assert "You are in" in (await client.post(link, data={"latest": "yes"})).text
        await until(lambda: len(to(workplace, "ben@example.org")) == 3)
    subjects = {str(mail["Subject"]) for mail in to(workplace, "ben@example.org")}
    issue = str(to(workplace, "Ann <ann@example.org>")[0]["Subject"])
    assert subjects == {"Confirm your subscription to Daily Papers", "Welcome to Daily Papers", issue}
    status = (await workplace.run("status", "--json")).json[0]
    assert status["signups"] == {"asked": 2, "mailed": 2, "confirmed": 1}
    assert status["readers"] == 2
    workplace.set_clock(datetime.now(UTC) + timedelta(hours=25))
    for _ in range(2):
        await workplace.run("run")
    assert [str(mail["Subject"]) for mail in to(workplace, "cleo@example.org")] == [
        "Confirm your subscription to Daily Papers",
        "Still waiting: confirm your subscription to Daily Papers",
    ]
    assert len(to(workplace, "ben@example.org")) == 3


async def test_pages_in_a_process_of_their_own_take_sign_ups_that_run_mails(
    workplace: Workplace,
) -> None:
    open_list(workplace, datetime.now(UTC) + timedelta(hours=3))
    async with served(workplace, "web") as url, httpx2.AsyncClient() as client:
        assert (await client.get(f"{url}/healthz")).json() == {"status": "ok"}
        answer = await client.post(f"{url}/-/signup/daily", data={"email": "ada@example.org"})
        assert answer.status_code == 200
        assert (await client.get(url, headers={"Host": "evil.example"})).status_code == 421
        assert workplace.mails() == []
        await workplace.run("run")
    assert [mail["To"] for mail in workplace.mails()] == ["ada@example.org"]

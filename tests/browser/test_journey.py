"""A reader's whole way through the pages that `newsletter serve` serves, in a browser and by the keyboard alone.

On each page that the reader comes to: axe finds nothing, nothing is wider than a narrow phone, nothing moves after
it was drawn, and nothing is fetched from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.async_api import Locator

from newsletter.demo.catch_all import catch_all
from tests.browser.reading import Reading, reading
from tests.e2e.test_run import save_page
from tests.e2e.test_serve import due_list, served, until
from tests.e2e.workplace import Workplace, part

TOPICS = """
[topics.agents]
keywords = ["agent", "agents"]
"""
PAGE = """\
Subscribe
A Survey of Agents in Practice
Agents plan, act and look at what came of it.
Sparse Teachers for Small Students
What a large model knows is taught to a small one.
"""
TOMORROWS_PAGE = """\
Subscribe
Agents That Forget on Purpose
What an agent forgets costs it nothing.
"""
MOST_KEYS = 120  # until the keyboard has been everywhere on a page


@pytest.fixture
async def workplace(tmp_path: Path) -> AsyncIterator[Workplace]:
    """Give an empty working folder, whose mail arrives in a Maildir."""
    folder = tmp_path / "work"
    folder.mkdir()
    async with catch_all(tmp_path / "inbox") as port:
        yield Workplace(folder, tmp_path / "inbox", port)


def mails_to(workplace: Workplace, address: str) -> list[EmailMessage]:
    return [mail for mail in workplace.mails() if address in str(mail["To"])]


def link_in(mail: EmailMessage, path: str) -> str:
    """Return the first link of a mail's text part to one kind of pages."""
    found = re.search(rf"http\S+/-/{path}/\S+", part(mail, "plain"))
    assert found is not None, part(mail, "plain")
    return found[0]


async def go(reading: Reading, target: Locator) -> None:
    """Move to something by the tab key, as who has no mouse."""
    for _ in range(MOST_KEYS):
        await reading.page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not come to {target}")


async def press(reading: Reading, name: str) -> None:
    """Press a button by the keyboard, and look at the page that comes."""
    await go(reading, reading.page.get_by_role("button", name=name, exact=True))
    async with reading.page.expect_navigation():
        await reading.page.keyboard.press("Enter")
    await reading.look()


async def heading(reader: Reading) -> str:
    return await reader.page.get_by_role("heading", level=1).inner_text()


async def sign_up(reader: Reading, workplace: Workplace) -> None:
    """Sign up on the list's own page, and confirm it by the link in the mail; the welcome has come then."""
    await reader.visit("/daily/")
    await go(reader, reader.page.get_by_role("textbox", name="Your email address"))
    await reader.page.keyboard.type("ada@example.org")
    await press(reader, "Sign up")
    assert await heading(reader) == "Check your inbox"
    await until(lambda: len(mails_to(workplace, "ada@")) == 1)
    await reader.visit(link_in(mails_to(workplace, "ada@")[0], "confirm"))
    await press(reader, "Yes, send me Daily Papers")
    assert await heading(reader) == "You are in"
    await until(lambda: len(mails_to(workplace, "ada@")) == 2)


async def choose(reader: Reading) -> None:
    """Go from where a reader is welcomed to the preferences, choose a topic, and give a name."""
    await go(reader, reader.page.get_by_role("link", name="Choose topics and hour"))
    async with reader.page.expect_navigation():
        await reader.page.keyboard.press("Enter")
    await reader.look()
    await go(reader, reader.page.get_by_role("checkbox", name=re.compile("agents")))
    await reader.page.keyboard.press("Space")
    await go(reader, reader.page.get_by_role("textbox", name="Name", exact=True))
    await reader.page.keyboard.type("Ada")
    await press(reader, "Save")
    assert await reader.page.get_by_role("status").inner_text() == "Saved"


async def leave(reader: Reading, issue: EmailMessage) -> None:
    await reader.visit(link_in(issue, "unsubscribe"))
    await press(reader, "Unsubscribe")
    assert await heading(reader) == "You are unsubscribed"


async def test_a_reader_signs_up_chooses_reads_likes_leaves_stays_and_leaves(workplace: Workplace) -> None:
    hour = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
    due_list(workplace, hour)
    file = workplace.folder / "subscribers" / "daily.toml"
    file.write_text(file.read_text().replace("\n\n[[", f'\nsignup = "open"\n{TOPICS}\n[[', 1))
    save_page(workplace, f"{hour:%Y-%m-%d}", PAGE)
    save_page(workplace, f"{hour + timedelta(days=1):%Y-%m-%d}", TOMORROWS_PAGE)
    workplace.set_clock(hour - timedelta(minutes=10))
    async with served(workplace) as url, reading(url) as reader:
        await sign_up(reader, workplace)
        await choose(reader)

        workplace.set_clock(hour + timedelta(seconds=5))
        await until(lambda: len(mails_to(workplace, "ada@")) == 3)
        issue = mails_to(workplace, "ada@")[-1]
        assert issue["To"] == "Ada <ada@example.org>"
        assert "Survey of Agents" in issue["Subject"]
        more = re.search(r'href="(http[^"]+/more)"', part(issue, "html"))
        assert more is not None
        await reader.visit(more[1])
        await press(reader, "More like this")
        assert await heading(reader) == "You will get more like this"

        await leave(reader, issue)
        await press(reader, "Undo, I want to stay")
        assert await heading(reader) == "You stay on Daily Papers"
        await leave(reader, issue)
        before = len(mails_to(workplace, "ada@"))
        workplace.set_clock(hour + timedelta(days=1, seconds=5))
        await until(lambda: any("Forget on Purpose" in mail["Subject"] for mail in mails_to(workplace, "ann@")))
        assert len(mails_to(workplace, "ada@")) == before
        assert await reader.cookies() == []

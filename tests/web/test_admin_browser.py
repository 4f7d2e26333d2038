"""The operator's pages in a browser, under their own content policy: accessible, narrow, live, and by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from newsletter.core.halt import Order
from tests.browser.node import NODE_MODULES
from tests.browser.test_accessibility import RUN
from tests.services import missing
from tests.web.browser import browser_page
from tests.web.operator import TOKEN, ask_to_join, operator_site
from tests.web.test_admin import ISSUE, PAGES

SHOWN = [path for path in PAGES if not path.endswith("state")]


async def sign_in(page: Page) -> None:
    await page.goto("/-/admin/")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Sign in").click()


async def test_a_bar_moves_while_an_issue_goes_out_and_the_operator_stops_it(tmp_path: Path) -> None:
    complaints: list[str] = []
    async with operator_site(tmp_path) as operator, browser_page(str(operator.client.base_url)) as page:
        page.on("console", lambda message: complaints.append(message.text))
        await sign_in(page)
        await page.get_by_role("link", name="Thu 12 March", exact=True).first.click()
        await expect(page.get_by_text("5 queued, 2 deferred")).to_be_visible()
        await operator.store.halts.obey(1, Order.CANCEL, now=operator.now)
        await operator.store.halts.withdraw(1, now=operator.now, most=3)
        await expect(page.get_by_text("2 queued, 2 deferred, 2 uncertain, 1 refused, 3 withdrawn")).to_be_visible()
        await page.goto("/-/admin/deliveries/")
        await page.get_by_role("button", name="Arrived: ").first.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("1 delivery is counted as sent.")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Token")).to_be_visible()
    assert not [text for text in complaints if "Content Security Policy" in text]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
async def test_pages_are_accessible_and_as_wide_as_a_phone(tmp_path: Path, width: int, scheme: str) -> None:
    axe = NODE_MODULES / "axe-core" / "axe.min.js"
    if not axe.exists():
        missing("axe-core (npm ci in tests/node)")
    code = axe.read_text(encoding="utf-8")
    async with operator_site(tmp_path) as operator, browser_page(str(operator.client.base_url)) as page:
        await ask_to_join(operator, "new@example.org")
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = [f"sign-in: {one}" for one in await findings(page, "/-/admin/sign-in", code)]
        await sign_in(page)
        for path in SHOWN:
            found += [f"{path}: {one}" for one in await findings(page, f"/-/admin/{path}", code)]
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert not found
    assert ISSUE in SHOWN


async def findings(page: Page, path: str, axe: str) -> list[str]:
    """Return what axe finds on a page."""
    await page.goto(path)
    await page.evaluate(axe)
    result = await page.evaluate(RUN, {})
    return [f"{one['id']}: {node['html'][:120]}" for one in result["violations"] for node in one["nodes"]]

"""The operator's pages in a browser, under their own content policy: live, and by keyboard."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect

from newsletter.core.halt import Order
from tests.web.browser import browser_page
from tests.web.operator import TOKEN, operator_site


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

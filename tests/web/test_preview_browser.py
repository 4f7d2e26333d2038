"""The studio in Chromium, as somebody at work on templates uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from newsletter.web.studio.preview import previewing
from tests.web.browser import browser_page
from tests.web.studio import READER, SmallStudio


@asynccontextmanager
async def previewed(studio: SmallStudio) -> AsyncIterator[Page]:
    async with previewing(studio.desk.opened, port=0) as url, browser_page(url) as page:
        yield page


async def colour(page: Page, selector: str, theme: str = "light") -> str:
    locator = page.frame_locator(f"[data-theme={theme}] iframe").locator(selector)
    return str(await locator.evaluate("element => getComputedStyle(element).backgroundColor"))


async def test_the_mail_is_seen_light_and_dark_in_frames_in_which_no_script_runs() -> None:
    async with previewed(SmallStudio()) as page:
        mail = page.frame_locator("[data-theme=light] iframe")
        await expect(mail.get_by_role("heading")).to_have_text("Sparse teachers for small agents")
        assert await colour(page, "body") == "rgb(255, 255, 255)"  # its script would have made it red
        assert await colour(page, "body", "dark") == "rgb(16, 16, 16)"


async def test_the_width_switches_at_once_and_outlives_a_reload() -> None:
    studio = SmallStudio()
    async with previewed(studio) as page:
        frame = page.locator("[data-theme=light] iframe")
        await expect(page.locator("#heights")).to_contain_text("px")
        assert await colour(page, "#width") == "rgb(0, 0, 170)"
        renderings = studio.renderings
        await page.get_by_text("Desktop 600").click()
        await expect(frame).to_have_css("width", "640px")
        assert await colour(page, "#width") == "rgb(0, 170, 0)"
        assert studio.renderings == renderings
        await page.reload()
        await expect(frame).to_have_css("width", "640px")
        assert studio.renderings > renderings


async def test_reader_issue_and_part_are_chosen_in_the_page() -> None:
    async with previewed(SmallStudio()) as page:
        await page.get_by_label("Reader", exact=True).fill(READER)
        await page.get_by_label("Reader", exact=True).press("Tab")
        mail = page.frame_locator("[data-theme=light] iframe")
        await expect(mail.locator("p").first).to_contain_text(f"Made for {READER}")
        await page.get_by_label("Issue").select_option("2026-03-11")
        await page.wait_for_url("**day=2026-03-11**")
        await page.get_by_text("Source", exact=True).click()
        await expect(page.locator(".of-source")).to_contain_text(f"To: {READER}")
        assert "view=source" in page.url
        await page.reload()
        await page.get_by_text("Mail", exact=True).click()
        await expect(page.locator("#heights")).to_contain_text("px")  # measured as soon as it is seen


async def test_another_list_forgets_the_day_and_the_reader_of_the_last_one() -> None:
    studio = SmallStudio()
    async with previewed(studio) as page:
        await page.goto(f"/?list=daily&day=2026-03-11&subscriber={READER}")
        await page.locator("[name=list]").select_option("weekly")
        await page.wait_for_url("**list=weekly**")
        await expect(page.locator("#heights")).to_contain_text("px")
    last = studio.asked[-1]
    assert (last.list, last.day, last.reader) == ("weekly", None, "")


async def test_collecting_and_sending_are_a_click_each() -> None:
    studio = SmallStudio(sample=True)
    async with previewed(studio) as page:
        await page.get_by_role("button", name="Collect now").click()
        await expect(page.locator("#shown").get_by_role("status")).to_have_text("58 papers read, 40 of them new.")
        await page.get_by_text("Send a test").click()
        await page.get_by_label("To", exact=True).fill("me@example.org")
        await page.get_by_label("To", exact=True).press("Enter")
        await expect(page.locator("#shown").get_by_role("status")).to_have_text(
            "me@example.org: sent by relay (250 OK)"
        )
    assert studio.collected == ["daily"]
    assert [to for _, to in studio.sent] == ["me@example.org"]

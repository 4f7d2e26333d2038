"""The preview in Chromium, as somebody at work on templates uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from newsletter.web.studio.preview import previewing
from tests.web.browser import browser_page
from tests.web.studio import READER, RENDERER, SmallStudio


@asynccontextmanager
async def previewed(studio: SmallStudio) -> AsyncIterator[Page]:
    async with previewing(studio, RENDERER, port=0) as url, browser_page(url) as page:
        yield page


async def colour(page: Page, selector: str) -> str:
    locator = page.frame_locator("iframe").locator(selector)
    return str(await locator.evaluate("element => getComputedStyle(element).backgroundColor"))


async def test_the_mail_is_seen_in_a_frame_in_which_no_script_runs() -> None:
    async with previewed(SmallStudio()) as page:
        mail = page.frame_locator("iframe")
        await expect(mail.get_by_role("heading")).to_have_text("Sparse teachers for small agents")
        assert await colour(page, "body") == "rgb(255, 255, 255)"  # its script would have made it red


async def test_the_width_switches_at_once_and_outlives_a_reload() -> None:
    studio = SmallStudio()
    async with previewed(studio) as page:
        assert await colour(page, "#width") == "rgb(0, 170, 0)"
        renderings = studio.renderings
        await page.get_by_text("Phone").click()
        await expect(page.locator("iframe")).to_have_css("width", "320px")
        assert await colour(page, "#width") == "rgb(0, 0, 170)"
        assert studio.renderings == renderings
        await page.reload()
        await expect(page.locator("iframe")).to_have_css("width", "320px")
        assert studio.renderings > renderings


async def test_dark_shows_the_mails_dark_rules_in_a_light_browser() -> None:
    async with previewed(SmallStudio()) as page:
        await page.get_by_text("Dark", exact=True).click()
        await page.wait_for_url("**theme=dark**")
        assert await colour(page, "body") == "rgb(16, 16, 16)"


async def test_reader_issue_and_part_are_chosen_in_the_page() -> None:
    async with previewed(SmallStudio()) as page:
        await page.get_by_label("Reader").fill(READER)
        await page.get_by_label("Reader").press("Tab")
        await expect(page.frame_locator("iframe").locator("p").first).to_contain_text(f"Made for {READER}")
        await page.get_by_label("Issue").select_option("2026-03-11")
        await expect(page.locator(".badge")).to_have_text("Frozen issue")
        await page.get_by_text("Source", exact=True).click()
        await expect(page.locator("pre.source")).to_contain_text(f"To: {READER}")


async def test_another_list_forgets_the_day_and_the_reader_of_the_last_one() -> None:
    studio = SmallStudio()
    async with previewed(studio) as page:
        await page.goto(f"/?list=daily&day=2026-03-11&subscriber={READER}")
        await page.get_by_label("List").select_option("weekly")
        await page.wait_for_url("**list=weekly**")
    assert studio.asked[-1] == ("weekly", None, None)


async def test_collect_is_one_click() -> None:
    studio = SmallStudio(sample=True)
    async with previewed(studio) as page:
        await page.get_by_role("button", name="Collect").click()
        await expect(page.get_by_role("status")).to_have_text("58 papers read, 40 of them new.")
        await expect(page.get_by_role("button", name="Collect")).to_be_enabled()
    assert studio.collected == ["daily"]

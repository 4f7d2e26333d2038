"""Chromium, as this machine has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright

from tests.services import need


@asynccontextmanager
async def browser_page(url: str) -> AsyncIterator[Page]:
    """Open a page in a light browser, at the root of `url`."""
    chromium = need("chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = await browser.new_page(base_url=url, color_scheme="light")
        await page.goto("/")
        yield page
        await browser.close()

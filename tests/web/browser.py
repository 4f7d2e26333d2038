"""Chromium, as this machine has it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from tests.services import need

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page


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

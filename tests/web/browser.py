"""Chromium, as this machine has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright

from tests.chromium import chromium


@asynccontextmanager
async def browser_page(url: str) -> AsyncIterator[Page]:
    """Open a page in a light browser, at the root of `url`."""
    address = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(address)
        page = await browser.new_page(base_url=url, color_scheme="light")
        await page.goto("/")
        yield page
        await browser.close()

"""A real browser. Fixtures last a module: playwright keeps an event loop running that other tests need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from newsletter.render.issue.renderer import TemplateRenderer
from tests.render.conftest import TEMPLATES
from tests.services import need

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = need("chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
    with sync_playwright() as playwright:
        # No sandbox within containers; /dev/shm is small there.
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def renderer() -> TemplateRenderer:
    return TemplateRenderer(None, TEMPLATES)


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[[str, int, Scheme], Page]]:
    """Open a page of HTML at a width and in a colour scheme; nothing is fetched."""
    pages = []

    def show_page(html: str, width: int, scheme: Scheme) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.route("**/*", lambda route: route.abort())
        page.set_content(html)
        return page

    yield show_page
    for page in pages:
        page.close()

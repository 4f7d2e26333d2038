"""A real browser. Fixtures last a module: playwright keeps an event loop running that other tests need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from newsletter.render.issue.renderer import TemplateRenderer
from tests.chromium import chromium
from tests.render.conftest import TEMPLATES

Scheme = Literal["light", "dark"]


_STYLE = re.compile(r'<link rel="stylesheet" href="[^"]*/-/static/([^"]+)">')


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    address = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(address)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def renderer() -> TemplateRenderer:
    return TemplateRenderer(None, TEMPLATES)


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[[str, int, Scheme], Page]]:
    """Open a page of HTML at a width and in a colour scheme; styles of the site are in it, nothing is fetched."""
    pages = []
    files = TemplateRenderer(None, TEMPLATES).files

    def style(link: re.Match[str]) -> str:
        found = files.find(link[1])
        assert found is not None, link[0]
        return f"<style>{found.content.decode()}</style>"

    def show_page(html: str, width: int, scheme: Scheme) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.route("**/*", lambda route: route.abort())
        page.set_content(_STYLE.sub(style, html))
        return page

    yield show_page
    for page in pages:
        page.close()

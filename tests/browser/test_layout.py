"""A mail fits its window: nothing sticks out, whatever text comes in, and what is hidden stays hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Dialog, Page

from newsletter.render.issue.renderer import TemplateRenderer
from tests import factories
from tests.browser.conftest import Scheme
from tests.render import mails as make
from tests.render.reader import reader_page


@pytest.fixture(scope="module")
def unbroken(renderer: TemplateRenderer) -> str:
    """An issue whose title, names and abstract are long words without a place to break."""
    paper = replace(
        factories.PAPERS[1], title="Unbroken" * 20, abstract="x" * 300, authors=("Y" * 90,), organization="Z" * 90
    )
    issue = factories.issue([paper, *factories.papers(12)])
    return reader_page(renderer.issue(issue, web_url=make.WEB_URL), issue)


@pytest.mark.parametrize("width", [320, 400, 900])
def test_nothing_sticks_out_of_the_window(
    unbroken: str, show: Callable[[str, int, Scheme], Page], width: int
) -> None:
    page = show(unbroken, width, "light")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_column_is_at_most_600_pixels_wide(unbroken: str, show: Callable[[str, int, Scheme], Page]) -> None:
    page = show(unbroken, 1200, "light")
    assert page.evaluate("document.querySelector('.column').getBoundingClientRect().width") == 600


def test_the_preheader_does_not_show(unbroken: str, show: Callable[[str, int, Scheme], Page]) -> None:
    page = show(unbroken, 640, "light")
    assert page.get_by_text("Also:").count() == 1
    assert not page.get_by_text("Also:").is_visible()


def test_hostile_text_runs_nothing(renderer: TemplateRenderer, show: Callable[[str, int, Scheme], Page]) -> None:
    issue = make.issues()["hostile"]
    rendered = renderer.issue(issue, web_url=make.WEB_URL)
    page = show("<p></p>", 640, "light")
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.set_content(reader_page(rendered, issue))
    assert page.locator("script, [onclick], [onerror], [onmouseover]").count() == 0
    assert not dialogs
    assert page.locator("h2").first.inner_text().startswith("1. <script>alert(1)</script> &")

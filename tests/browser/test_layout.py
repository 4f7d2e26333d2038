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
from tests.render.conftest import GOLDEN
from tests.render.reader import reader_mail
from tests.render.reader_pages import states

# The names of fields that are wider than what they stand in.
STICKING_OUT = """[...document.querySelectorAll('form :is(input, select, textarea)')].filter(field =>
    field.getBoundingClientRect().right > field.closest('.field, form').getBoundingClientRect().right + 1)
    .map(field => field.name)"""


@pytest.fixture(scope="module")
def unbroken(renderer: TemplateRenderer) -> str:
    """An issue whose title, names and abstract are long words without a place to break."""
    paper = replace(
        factories.PAPERS[1], title="Unbroken" * 20, abstract="x" * 300, authors=("Y" * 90,), organization="Z" * 90
    )
    card, line = (replace(paper, arxiv_id=f"2603.0000{number}") for number in (1, 2))
    issue = factories.issue([paper, card, *factories.papers(12), line])
    return reader_mail(renderer, issue, matched={0: "agents", 1: "t" * 90}).html


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
    preheader = page.get_by_text("15 new papers").first
    assert preheader.count() == 1
    assert not preheader.is_visible()


@pytest.mark.parametrize("said", states())
def test_no_field_of_a_readers_page_sticks_out_of_its_column(
    said: str, renderer: TemplateRenderer, show: Callable[[str, int, Scheme], Page]
) -> None:
    name, values = states()[said]
    longest = {"timezones": {"America": ["America/Argentina/ComodRivadavia"]}}
    page = show(renderer.page(name, {**values, **longest}), 320, "light")
    assert page.evaluate(STICKING_OUT) == []


def test_hostile_text_runs_nothing(renderer: TemplateRenderer, show: Callable[[str, int, Scheme], Page]) -> None:
    mail = reader_mail(renderer, make.issues()["hostile"])
    page = show("<p></p>", 640, "light")
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.set_content(mail.html)
    assert page.locator("script, [onclick], [onerror], [onmouseover]").count() == 0
    assert not dialogs
    assert page.locator("h2").first.inner_text().startswith("<script>alert(1)</script> &")


# Pixels that a mail of twenty papers may be tall, at widths of a desk and of a phone: as a rule 3,000 and 5,500.
# Fonts differ between machines; DejaVu, which is there where nothing else is, is an eighth wider than Arial.
TALLEST = {600: 3_400, 360: 5_500}


@pytest.mark.parametrize("width", TALLEST)
@pytest.mark.parametrize("name", ["twenty", "weekly"])
def test_a_mail_of_twenty_papers_is_a_minute_s_scroll(
    name: str, width: int, show: Callable[[str, int, Scheme], Page]
) -> None:
    page = show((GOLDEN / f"{name}.html").read_text(encoding="utf-8"), width, "light")
    assert page.evaluate("document.documentElement.scrollHeight") <= TALLEST[width]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_first_title_is_on_the_first_screen(show: Callable[[str, int, Scheme], Page]) -> None:
    html = (GOLDEN / "twenty.html").read_text(encoding="utf-8")
    for width, top in ((600, 200), (360, 300)):
        assert show(html, width, "light").evaluate("document.querySelector('h2').getBoundingClientRect().y") < top


def test_a_picture_that_is_not_loaded_leaves_no_hole(show: Callable[[str, int, Scheme], Page]) -> None:
    page = show((GOLDEN / "twenty.html").read_text(encoding="utf-8"), 600, "light")
    assert page.evaluate("document.querySelector('img').getBoundingClientRect().height") < 40

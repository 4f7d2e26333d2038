"""Axe finds nothing (WCAG 2.2 AA and its best practices), in light, dark and on a narrow phone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint.mail import Mail
from tests import factories
from tests.browser.conftest import Scheme
from tests.browser.node import NODE_MODULES
from tests.render import mails as make
from tests.render import signup_samples
from tests.render.reader_pages import states
from tests.services import missing
from tests.web import lists as list_samples
from tests.web import papers as paper_samples

# A mail stands within the page of a mail client, which has the landmarks.
RUN = """rules => axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules })"""
NO_LANDMARKS = {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}
LOOKS: list[tuple[int, Scheme]] = [(640, "light"), (320, "dark"), (640, "dark"), (320, "light")]
MAILS = ("weekly", "sixty", "short", *make.single_mails())


@pytest.fixture(scope="module")
def axe() -> str:
    path = NODE_MODULES / "axe-core" / "axe.min.js"
    if not path.exists():
        missing("axe-core (npm ci in tests/node)")
    return path.read_text(encoding="utf-8")


def findings(page: Page, axe: str, rules: dict[str, Any]) -> list[str]:
    page.evaluate(axe)
    result = page.evaluate(RUN, rules)
    assert len(result["passes"]) > 5
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


@pytest.fixture(scope="module")
def mails(renderer: TemplateRenderer) -> dict[str, str]:
    """Mails as a reader gets them."""
    pages = {}
    for name in ("twenty", "sixty", "right_to_left", "weekly", "short", "german", "chinese"):
        pages[name] = Mail(make.sample_mail(name, renderer)).html
    for name, values in make.single_mails().items():
        pages[name] = renderer.mail(name, values)[1]
    return pages


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        *(("twenty", *look) for look in LOOKS),
        *((name, *look) for name, look in zip(MAILS, cycle(LOOKS), strict=False)),
        ("right_to_left", 320, "light"),
        ("german", 600, "light"),
        ("chinese", 320, "dark"),
    ],
)
def test_mails_are_accessible(
    name: str,
    width: int,
    scheme: Scheme,
    mails: dict[str, str],
    axe: str,
    show: Callable[[str, int, Scheme], Page],
) -> None:
    assert not findings(show(mails[name], width, scheme), axe, NO_LANDMARKS)


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [(name, *look) for name, look in zip(make.pages(), cycle(LOOKS), strict=False)]
)
def test_web_pages_are_accessible(
    name: str,
    renderer: TemplateRenderer,
    axe: str,
    show: Callable[[str, int, Scheme], Page],
    width: int,
    scheme: Scheme,
) -> None:
    html = renderer.page(name, make.pages()[name])
    assert not findings(show(html, width, scheme), axe, {})


def test_the_pages_of_a_list_are_accessible_and_fit(
    tmp_path: Path, renderer: TemplateRenderer, axe: str, show: Callable[[str, int, Scheme], Page]
) -> None:
    papers = factories.papers(list_samples.PAPERS)
    shown = list_samples.pages(tmp_path, papers, renderer=renderer)
    for (name, html), (width, scheme) in zip(shown.items(), cycle(LOOKS), strict=False):
        page = show(html, width, scheme)
        assert not findings(page, axe, {}), name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_pages_of_papers_and_the_search_are_accessible_and_fit(
    tmp_path: Path, renderer: TemplateRenderer, axe: str, show: Callable[[str, int, Scheme], Page]
) -> None:
    shown = paper_samples.samples(tmp_path, factories.papers(25), renderer=renderer)
    for (name, html), (width, scheme) in zip(shown.items(), cycle(LOOKS), strict=False):
        page = show(html, width, scheme)
        assert not findings(page, axe, {}), name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("number", range(len(signup_samples.states())))
def test_the_other_states_of_signing_up_are_accessible(
    number: int, renderer: TemplateRenderer, axe: str, show: Callable[[str, int, Scheme], Page]
) -> None:
    html = renderer.page(*signup_samples.states()[number])
    assert not findings(show(html, 320, "light" if number % 2 else "dark"), axe, {})


@pytest.mark.parametrize("values", make.feedback_states(), ids=lambda one: f"{one['wish']}-{one['is_done']}")
def test_what_readers_see_who_say_something_of_a_paper_is_accessible(
    values: dict[str, Any], renderer: TemplateRenderer, axe: str, show: Callable[[str, int, Scheme], Page]
) -> None:
    html = renderer.page("feedback", values)
    assert not findings(show(html, 320, "light"), axe, {})


@pytest.mark.parametrize("said", states())
def test_pages_of_single_readers_are_accessible(
    said: str, renderer: TemplateRenderer, axe: str, show: Callable[[str, int, Scheme], Page]
) -> None:
    html = renderer.page(*states()[said])
    looks: list[tuple[int, Scheme]] = [(900, "light"), (320, "dark")] if "preferences" in html else [(320, "dark")]
    for width, scheme in looks:
        page = show(html, width, scheme)
        assert not findings(page, axe, {})
        assert page.evaluate("document.documentElement.scrollWidth") <= width

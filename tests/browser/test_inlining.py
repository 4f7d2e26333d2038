"""The best test of inlining: every element looks in the inlined page as it does in the page it was made from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from newsletter.render.issue import renderer as renderer_module
from newsletter.render.issue.inline import inline
from newsletter.render.issue.renderer import TemplateRenderer
from tests.browser.conftest import Scheme
from tests.render import mails as make

STYLES = """() => [...document.querySelectorAll('body, body *')].map(
    element => [element.outerHTML.slice(0, 80), ...getComputedStyle(element).cssText.split('; ')])"""


@pytest.fixture(params=["twelve listings", "confirm"])
def pair(
    request: pytest.FixtureRequest, renderer: TemplateRenderer, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """A page before and after the inlining, with its listings at every level of detail."""
    seen: list[tuple[str, str]] = []

    def watched(html: str) -> str:
        inlined = inline(html)
        seen.append((html, inlined))
        return inlined

    monkeypatch.setattr(renderer_module, "inline", watched)
    if request.param == "confirm":
        renderer.mail("confirm", make.single_mails()["confirm"])
    else:
        renderer.issue(make.issues()["weekly"], web_url=make.WEB_URL)
    return seen[0]


@pytest.mark.parametrize(("width", "scheme"), [(760, "light"), (400, "light"), (760, "dark")])
def test_no_element_looks_different(
    pair: tuple[str, str], show: Callable[[str, int, Scheme], Page], width: int, scheme: Scheme
) -> None:
    source, inlined = (show(html, width, scheme).evaluate(STYLES) for html in pair)
    assert len(source) == len(inlined) > 20
    wrong = {
        before[0]: sorted(set(before[1:]) ^ set(after[1:]))
        for before, after in zip(source, inlined, strict=True)
        if before[1:] != after[1:]
    }
    assert not wrong

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.render.issue.renderer import TemplateRenderer
from tests.render import mails as make
from tests.render.reader import reader_page


@pytest.mark.parametrize("name", sorted(make.issues()))
def test_an_issue_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], str]
) -> None:
    issue = make.issues()[name]
    rendered = renderer.issue(issue, web_url=make.WEB_URL)
    matched = {1: "agents, robotics"}
    html = reader_page(rendered, issue, matched=matched)
    text = reader_page(rendered, issue, "text", matched=matched)
    assert html == golden(f"{name}.html", html)
    assert text == golden(f"{name}.txt", text)


@pytest.mark.parametrize("name", sorted(make.issues()))
def test_a_message_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], str]
) -> None:
    message = make.sample_mail(name, renderer).decode().replace("\r\n", "\n")
    assert message == golden(f"{name}.eml", message)


@pytest.mark.parametrize("name", sorted(make.single_mails()))
def test_a_mail_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], str]
) -> None:
    subject, html, text = renderer.mail(name, make.single_mails()[name])
    shown = f"Subject: {subject}\n\n{text}"
    assert html == golden(f"{name}.html", html)
    assert shown == golden(f"{name}.txt", shown)

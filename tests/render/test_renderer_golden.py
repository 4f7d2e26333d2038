from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.render.issue.renderer import TemplateRenderer
from tests.render import bytes_factories as make
from tests.render import samples
from tests.render.reader import reader_page


@pytest.mark.parametrize("name", sorted(samples.issues()))
def test_an_issue_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], None]
) -> None:
    issue = samples.issues()[name]
    rendered = renderer.issue(issue, web_url=samples.WEB_URL)
    matched = {1: "agents, robotics"}
    golden(f"{name}.html", reader_page(rendered, issue, matched=matched))
    golden(f"{name}.txt", reader_page(rendered, issue, "text", matched=matched))


@pytest.mark.parametrize("name", sorted(samples.issues()))
def test_a_message_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], None]
) -> None:
    golden(f"{name}.eml", make.sample_mail(name, renderer).decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("name", sorted(samples.mails()))
def test_a_mail_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], None]
) -> None:
    subject, html, text = renderer.mail(name, samples.mails()[name])
    golden(f"{name}.html", html)
    golden(f"{name}.txt", f"Subject: {subject}\n\n{text}")

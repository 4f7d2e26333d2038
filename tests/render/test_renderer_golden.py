from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint.mail import Mail
from tests.render import mails as make


@pytest.mark.parametrize("name", sorted(make.issues()))
def test_a_message_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], str]
) -> None:
    raw = make.sample_mail(name, renderer)
    mail = Mail(raw)
    message, html, text = (part.replace("\r\n", "\n") for part in (raw.decode(), mail.html, mail.text))
    assert message == golden(f"{name}.eml", message)
    assert html == golden(f"{name}.html", html)
    assert text == golden(f"{name}.txt", text)


@pytest.mark.parametrize("name", sorted(make.single_mails()))
def test_a_mail_reads_as_its_golden_copy(
    name: str, renderer: TemplateRenderer, golden: Callable[[str, str], str]
) -> None:
    subject, html, text = renderer.mail(name, make.single_mails()[name])
    shown = f"Subject: {subject}\n\n{text}"
    assert html == golden(f"{name}.html", html)
    assert shown == golden(f"{name}.txt", shown)

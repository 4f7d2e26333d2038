from __future__ import annotations

from email.message import EmailMessage

import pytest

from newsletter.web.studio.mail_view import Theme, as_shown_in, mail_view
from tests.web.studio import message


def test_a_message_is_taken_apart_into_what_a_reader_and_a_postmaster_see() -> None:
    raw = message("reader@example.org", 1)
    view = mail_view(raw)
    assert view.header("subject") == "12 March: Sparse teachers for small agents ✓"
    assert view.header("X-None") == ""
    assert view.headers[0][0] == "Subject"
    assert view.text.startswith("1. Sparse teachers")
    assert "rendering 1." in view.html
    assert view.source.encode() == raw
    assert view.message_bytes == len(raw)
    assert view.html_bytes == len(view.html.encode())


def test_a_part_that_is_not_there_is_empty() -> None:
    mail = EmailMessage()
    mail.set_content("only text")
    view = mail_view(mail.as_bytes())
    assert (view.html, view.html_bytes) == ("", 0)


@pytest.mark.parametrize(("theme", "applies"), [(Theme.DARK, "dark"), (Theme.LIGHT, "light")])
def test_the_mail_programs_theme_decides_which_rules_apply(theme: Theme, applies: str) -> None:
    shown = as_shown_in(theme, "@media (prefers-color-scheme: dark) {} @media (Prefers-Color-Scheme:light) {}")
    always, never = "(min-width: 0px)", "(max-width: 0px)"
    dark, light = (always, never) if applies == "dark" else (never, always)
    assert shown.startswith(f"@media {dark} {{}} @media {light} {{}}")
    assert f"color-scheme:{applies} !important" in shown

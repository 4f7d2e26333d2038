from __future__ import annotations

import re

from newsletter.settings import variables
from tests.settings.document import DOCUMENT, EXAMPLE, document


def test_the_page_of_settings_is_what_the_example_and_the_program_say() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == document(EXAMPLE.read_text(encoding="utf-8")), "call `make settings`"


def test_it_has_each_setting_once() -> None:
    named = re.findall(r"`(NEWSLETTER_\w+)=", DOCUMENT.read_text(encoding="utf-8"))
    assert sorted(named) == sorted(variables())

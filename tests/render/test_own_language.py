"""The texts of a list's own among words in another language: they say theirs, and stand where all else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from lxml import html

from newsletter.render.issue.renderer import TemplateRenderer
from tests import factories
from tests.render.conftest import TEMPLATES

_HEAD = factories.masthead(title="Papers", intro="The best.", outro="So long.", postal_address="1 Lane")
_TEXTS = {"Papers", "The best.", "So long.", "Papers · 1 Lane"}


def _in_mail(language: str, of_reader: str) -> Iterator[html.HtmlElement]:
    """Yield the elements of a mail that have the list's own texts."""
    issue = factories.issue()
    issue = replace(issue, terms=replace(issue.terms, masthead=replace(_HEAD, language=language)))
    mail = TemplateRenderer(None, TEMPLATES).issue(issue.in_language(of_reader), web_url="").html
    for element in html.document_fromstring(mail).iter("h1", "p"):
        if element.text_content().strip() in _TEXTS:
            yield element


@pytest.mark.parametrize(
    ("language", "of_reader", "said"),
    [("en", "", None), ("en", "de", "en"), ("pt-BR", "", None), ("pt-BR", "fr", "pt-BR"), ("ar", "", "ar")],
)
def test_they_say_their_language_where_the_words_are_in_another(
    language: str, of_reader: str, said: str | None
) -> None:
    assert [element.get("lang") for element in _in_mail(language, of_reader)] == [said] * len(_TEXTS)


def test_a_title_that_is_written_to_the_left_stands_where_all_else_does() -> None:
    titles = [element for element in _in_mail("ar", "") if "Papers" in element.text_content()]
    assert [(title.get("dir"), title[0].get("dir")) for title in titles] == [(None, "auto")] * 2

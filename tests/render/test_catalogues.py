"""The catalogues of words: complete, and nothing that readers see is left out of them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from newsletter.core.listing import Listing
from newsletter.render.issue import catalogues
from newsletter.render.issue import language as languages
from newsletter.render.issue.catalogues import language_for
from newsletter.render.issue.renderer import TemplateRenderer
from tests import factories
from tests.render import mails as make
from tests.render import signup_samples
from tests.render.conftest import TEMPLATES
from tests.render.reader import reader_mail
from tests.render.reader_pages import states
from tests.web import lists as list_samples
from tests.web import papers as paper_samples

ROOT = TEMPLATES.parent
LANGUAGES = [language for language in catalogues.languages() if language != "en"]
_PLACE = re.compile(r"%\((\w+)\)s|%")


@cache
def source() -> frozenset[str | tuple[str, str]]:
    """Return all messages of templates and program; those with a plural are pairs."""
    kinds = [
        ("newsletter/render/issue/**.py", "python"),
        ("templates/**.html", "jinja2"),
        ("templates/**.txt", "jinja2"),
    ]
    found = extract_from_dir(
        ROOT, kinds, keywords={**DEFAULT_KEYWORDS, "_N": (1, 2)}, directory_filter=lambda path: "/." not in path
    )
    return frozenset(
        message if isinstance(message, str) else (message[0], message[1]) for _, _, message, *_ in found
    )


def catalogue(language: str) -> Catalog:
    path = Path(catalogues.__file__).parents[1] / "locale" / language.replace("-", "_")
    with (path / "LC_MESSAGES" / "newsletter.po").open("rb") as file:
        return read_po(file)


def messages(language: str) -> Iterator[Message]:
    return (message for message in catalogue(language) if message.id)


def test_there_are_the_languages_that_the_documents_name() -> None:
    assert catalogues.languages() == ("en", "de", "es", "fr", "ja", "pt", "zh-Hans")
    assert [language_for(tag) for tag in ("pt-BR", "zh-CN", "en-US", "it")] == ["pt", "zh-Hans", "en", None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_message_and_no_other(language: str) -> None:
    ids = {message.id if isinstance(message.id, str) else tuple(message.id) for message in messages(language)}
    assert ids == source(), "run make catalogues"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_with_the_same_placeholders_in_each_form(language: str) -> None:
    assert not catalogue(language).obsolete
    for message in messages(language):
        assert not message.fuzzy, message.id
        ids = [message.id] if isinstance(message.id, str) else message.id
        strings = [message.string] if isinstance(message.string, str) else message.string or ()
        assert all(strings), f"{message.id}: not translated"
        assert len(strings) == (catalogue(language).num_plurals if message.pluralizable else 1), message.id
        places = {name for text in ids for name in _PLACE.findall(text)}
        for text in strings:
            assert set(_PLACE.findall(text)) >= places - {"count"}, message.id
            assert set(_PLACE.findall(text)) <= places, message.id
            assert text == text.strip(), message.id


class Masked(NullTranslations):
    """A catalogue that has all messages, in which no Latin letter is left."""

    def gettext(self, message: str) -> str:
        return re.sub(r"(%\(\w+\)s)|[A-Za-z]", lambda found: found[1] or "字", message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> Iterator[TemplateRenderer]:
    """Return a renderer for which all words that come from catalogues have no Latin letters."""
    monkeypatch.setattr(languages, "catalogue", lambda _: Masked())
    languages.language.cache_clear()
    yield TemplateRenderer(None, TEMPLATES)
    languages.language.cache_clear()


# Names, file endings, and what is for programs.
_NO_WORDS = {
    "PDF",
    "BibTeX",
    "RIS",
    "bib",
    "ris",
    "Ada",
    "Lovelace",
    "ada",
    "example",
    "org",
    "https",
    "papers",
    "daily",
    "mailto",
    "arXiv",
    "lab",
    "Gmail",
    *("Atom", "RSS", "JSON", "Feed"),
    *("alphaXiv", "Google", "Scholar", "Semantic"),
    *("Asia", "Tokyo"),
}
_SHOWN_ATTRIBUTES = re.compile(r'(?:alt|title|aria-label|aria-roledescription)="([^"]*)"')
_HIDDEN = re.compile(r"<style.*?</style>|<script.*?</script>|<!--.*?-->|<pre.*?</pre>", re.DOTALL)


def latin(page: str) -> set[str]:
    """Return the words in Latin letters that a reader of a page sees or hears."""
    page = _HIDDEN.sub("", page)
    seen = re.sub(r"<[^>]*>", " ", page) + " ".join(_SHOWN_ATTRIBUTES.findall(page))
    return set(re.findall(r"[A-Za-z]{2,}", html.unescape(seen))) - _NO_WORDS


def paper(number: int) -> Listing:
    """Return a paper of which no text has Latin letters."""
    return Listing(
        title=f"论文 {number}",
        abstract="我们提出一种方法。",
        ai_summary="一种方法。" if number % 2 else "",
        summary="" if number % 2 else "方法。",
        authors=("王", "李", "张", "刘"),
        url=f"https://example.org/{number}",
        pdf_url=f"https://example.org/{number}.pdf",
        code_url=f"https://example.org/code/{number}",
        project_url=f"https://example.org/project/{number}",
        discussion_url=f"https://example.org/discuss/{number}",
    )


LIST_FILE = """
title = "日报"
sender = "日报 <papers@example.org>"
sources = ["huggingface"]
language = "ja"
timezone = "Asia/Tokyo"
signup = "approval"

[topics."题"]
keywords = ["方法"]
"""
HEAD = factories.masthead(title="日报", language="ja", postal_address="东京", theme={})


@pytest.mark.parametrize("name", ["german", "chinese"])
def test_no_word_of_an_issue_stands_outside_of_the_catalogues(name: str, masked: TemplateRenderer) -> None:
    issue = make.issues()[name]
    head = replace(issue.masthead, title=HEAD.title, language="ja", postal_address="东京", theme={}, intro="")
    listings = tuple(
        replace(item, listing=paper(number), reasons=("new", "+3 since yesterday", "2 points on Hacker News"))
        for number, item in enumerate(issue.listings)
    )
    issue = replace(issue, terms=replace(issue.terms, masthead=head, topics={}), listings=listings, subject="日")
    mail = reader_mail(masked, issue)
    without_links = re.sub(r"(https?|mailto):\S+", "", mail.text)
    assert latin(mail.html) | latin(without_links) == set()


def test_no_word_of_the_pages_of_a_list_stands_outside_of_the_catalogues(
    masked: TemplateRenderer, tmp_path: Path
) -> None:
    papers = [
        replace(paper(number), published_on=date(2026, 1, 31), organization="组织", author_count=9)
        for number in range(list_samples.PAPERS)
    ]
    pages = list_samples.pages(tmp_path, papers, renderer=masked, list_file=LIST_FILE, language="ja")
    for name, page in pages.items():
        assert latin(page) == set(), name


def test_no_word_of_the_pages_of_papers_and_of_the_search_stands_outside_of_the_catalogues(
    masked: TemplateRenderer, tmp_path: Path
) -> None:
    papers = [
        replace(paper(number), arxiv_id=f"2603.{number:05}", organization="组织", keywords=("方法",))
        for number in range(25)
    ]
    pages = paper_samples.samples(tmp_path, papers, renderer=masked, list_file=LIST_FILE)
    for name, page in pages.items():
        assert latin(page) == set(), name


def test_no_word_of_a_page_or_a_mail_to_one_person_stands_outside_of_the_catalogues(
    masked: TemplateRenderer,
) -> None:
    texts = {
        "masthead": HEAD,
        "title": "论文",
        "email": "1@2.3",
        "name": "王",
        "schedule": "日",
        "valid_for": "日",
    }
    for of_feedback in ({"feedback": state} for state in make.feedback_states()):
        for name, values in {**make.pages(), **of_feedback}.items():
            mine = {key: texts.get(key, value) for key, value in values.items()} | {"lists": []}
            assert latin(masked.page(name, {"language": "ja", **mine})) == set(), name
    for name, values in states().values():
        mine = {key: texts.get(key, value) for key, value in values.items()} | _without_letters(values)
        assert latin(masked.page(name, {"language": "ja", **mine})) == set(), name
    for name, values in signup_samples.states():
        if name != "decide":  # what is said to operators is English
            mine = {key: texts.get(key, value) for key, value in values.items()}
            assert latin(masked.page(name, {"language": "ja", **mine})) == set(), name
    for name in ("confirm", "reminder", "welcome", "goodbye", "new_address", "moved"):
        values = {key: texts.get(key, value) for key, value in make.single_mails()[name].items()}
        subject, page, text = masked.mail(name, values)
        without_links = re.sub(r"(https?|mailto):\S+", "", page + text)
        assert latin(subject) | latin(without_links) == set(), name


def _without_letters(values: dict[str, Any]) -> dict[str, Any]:
    """Return those values of the page of preferences that are names, with names that have no Latin letters."""
    if "timezones" not in values:
        return {}
    listed = [{**one, "title": "论文"} for one in values["said"]]
    return {
        "topics": {"题": "题"},
        "timezone": "洲",
        "timezones": {"洲": ["洲"]},
        "language_name": "中文",
        "languages": {"zh": "中文"},
        "said": listed,
        "kept_papers": listed,
        "fields": values["fields"] | {"authors": ["王"]},
    }


def test_a_word_outside_of_the_catalogues_is_found(masked: TemplateRenderer, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "gone.html").write_text('<p title="{{ _("One") }}">Two {{ _("three") }}</p>')
    assert latin(TemplateRenderer(tmp_path, TEMPLATES).page("gone", {"language": "ja"})) == {"Two"}

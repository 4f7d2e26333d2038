from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.render import mails as make
from tests.render.planted import findings, in_page, rules_of


@pytest.mark.parametrize(
    ("leftover", "level"),
    [
        ("%%NAME%%", "failure"),
        ("%%name", "failure"),
        ("{{ name }}", "warning"),
        ("{{name|upper}}", "warning"),
        ("{% if name %}", "warning"),
    ],
)
def test_a_placeholder_is_found_in_either_part(leftover: str, level: str) -> None:
    [html] = findings(in_page("Paper 0", leftover))
    assert (html.rule, html.level, html.where) == ("leftover", level, "HTML part")
    [text] = findings(in_page(text=("Paper 0", leftover)))
    assert (text.rule, text.level, text.where) == ("leftover", level, "text part")


@pytest.mark.parametrize(("escaped", "level"), [("%25%25url%25%25", "failure"), ("%7B%7Burl%7D%7D", "warning")])
def test_a_placeholder_that_was_escaped_in_a_link_is_found(escaped: str, level: str) -> None:
    new = f"https://example.org/{escaped}"
    raw = in_page("https://example.org/0", new, text=("https://example.org/0", new))
    assert rules_of(raw) == [("leftover", level)] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Templates {{ considered }} %%harmful%%"},
        {"url": "https://example.org/%25%25a/%7B%7Bb%7D%7D"},
        {"authors": ("%%author",), "title": "by %%author"},
    ],
)
def test_what_a_paper_itself_says_is_no_placeholder(change: dict[str, Any]) -> None:
    issue = make.issue(1)
    [item] = issue.listings
    issue = replace(issue, listings=(replace(item, listing=replace(item.listing, **change)),))
    assert rules_of(make.mail(issue), issue) == []


def test_percent_signs_and_braces_of_prose_are_no_placeholders() -> None:
    assert rules_of(in_page("Paper 0", "a 50%% gain on {{1, 2}, {3}} and 100%")) == []


def test_a_postal_address_is_found_missing_in_either_part() -> None:
    assert [finding.where for finding in findings(in_page("1 Reading Lane", "1 Another Lane"))] == ["HTML part"]
    assert [finding.where for finding in findings(in_page(text=("1 Reading", "1 Another")))] == ["text part"]


def test_a_list_without_a_postal_address_is_a_warning() -> None:
    issue = make.issue(head=make.masthead(postal_address=""))
    assert rules_of(make.mail(issue), issue) == [("postal-address", "warning")]


def test_a_way_out_is_found_missing_in_either_part() -> None:
    url = make.LINKS.unsubscribe(42)
    raw = in_page(text=("Leave:\n", "Leave? "))
    assert rules_of(raw) == []
    raw = make.mail().replace(f'href=3D"=\r\n{url}'.encode(), b'href=3D"=\r\nhttps://example.org/0')
    assert ("unsubscribe-link", "HTML part") in [(item.rule, item.where) for item in findings(raw)]
    raw = make.mail().replace(f"Leave:\r\n{url}".encode(), b"Leave:\r\nhttps://example.org/0")
    assert ("unsubscribe-link", "text part") in [(item.rule, item.where) for item in findings(raw)]

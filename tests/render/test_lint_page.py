from __future__ import annotations

import pytest

from tests.render.planted import findings, in_bytes, in_page, rules_of

IMAGE = '<img src="https://example.org/a.png" alt="" width="1" height="1">'


def with_body(markup: str) -> bytes:
    return in_page("</body>", f"{markup}</body>")


def with_style(css: str) -> bytes:
    return in_page("</style>", f"{css}</style>")


def test_html_before_text_is_found() -> None:
    raw = in_bytes("text/html;", "text/plain;", in_bytes("text/plain;", "text/swap;"))
    [finding] = [item for item in findings(in_bytes("text/swap;", "text/html;", raw)) if item.rule == "part-order"]
    assert finding.message.startswith("multipart/alternative of text/html, text/plain; expected")


def test_a_mail_without_alternatives_is_found() -> None:
    rules = [rule for rule, _ in rules_of(in_bytes("multipart/alternative", "multipart/mixed"))]
    assert rules == ["part-order"]


def test_110_kb_of_html_are_found() -> None:
    raw = with_body(f'<p style="color:#222222" class="link">{"word " * 22_000}</p>')
    assert rules_of(raw) == [("html-size", "failure")]


def test_a_page_without_html_is_found() -> None:
    rules = {rule for rule, _ in rules_of(in_bytes("text/html;", "text/calendar;"))}
    assert {"part-order", "lang", "title", "unsubscribe-link"} <= rules


def test_styles_of_more_than_16000_characters_are_found() -> None:
    assert rules_of(with_style(".a { margin: 0 }\n" * 1000)) == [("style-size", "failure")]


def test_an_at_rule_within_another_is_found() -> None:
    css = "@supports (color: red) { @media (max-width: 1px) { .a { color: red } } }"
    assert rules_of(with_style(css)) == [("nested-at", "warning")]


def test_at_rules_side_by_side_and_in_comments_are_no_finding() -> None:
    css = "/* @media { @media { */ @import 'x'; @media (max-width: 1px) { .a { margin: 0 } } .b { margin: 0 }"
    assert rules_of(with_style(css)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "level"),
    [
        ('lang="en" ', "", "lang", "failure"),
        (' dir="ltr"', "", "dir", "warning"),
        ("<title>", "<title>Another: ", "title", "failure"),
        ('<table role="presentation"', "<table", "table-role", "warning"),
    ],
)
def test_what_screen_readers_need_is_found_missing(old: str, new: str, rule: str, level: str) -> None:
    assert rules_of(in_page(old, new)) == [(rule, level)]


def test_a_table_of_data_needs_no_role() -> None:
    assert rules_of(with_body('<table style="color:#222222" class="ground"><tr><th></th></tr></table>')) == []


def test_an_image_with_an_empty_alt_and_a_size_is_no_finding() -> None:
    assert rules_of(with_body(IMAGE)) == []


@pytest.mark.parametrize(
    ("attribute", "rule"),
    [('alt="" ', ("image-alt", "failure")), ('width="1" ', ("image-size", "warning"))],
)
def test_an_image_without_alt_or_size_is_found(attribute: str, rule: tuple[str, str]) -> None:
    assert rules_of(with_body(IMAGE.replace(attribute, ""))) == [rule]

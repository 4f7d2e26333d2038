from __future__ import annotations

import pytest

from newsletter.core.errors import RenderError
from newsletter.render.issue.inline import inline

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A</title>
<style>.ink { color: #112233 } .wide { padding: 0 4px; text-align: center } td { width: 10px }</style>
<style data-premailer="ignore">.ink { color: #fff !important } @media print { .side { padding: 0 } }</style>
</head><body>BODY</body></html>"""


def page(body: str) -> str:
    return inline(PAGE.replace("BODY", body))


def test_rules_become_style_attributes_with_six_digit_colours() -> None:
    assert '<p class="ink" style="color:#112233">x</p>' in page('<p class="ink">x</p>')


def test_the_ignored_block_stays_as_it_is() -> None:
    assert "<style>.ink { color: #fff !important } @media print { .side { padding: 0 } }</style>" in page("")


def test_classes_that_no_remaining_rule_names_go() -> None:
    assert '<p style="padding:0 4px;text-align:center">x</p>' in page('<p class="wide other">x</p>')
    assert '<p class="side" style="padding:0 4px;text-align:center">x</p>' in page('<p class="wide side">x</p>')


def test_no_attributes_are_derived_from_styles() -> None:
    assert '<td style="width:10px">' in page("<table><tr><td>x</td></tr></table>")


def test_text_and_attributes_that_look_like_markup_stay_whole() -> None:
    hostile = "a class=&#34;wide&#34; style=&#34;b; c&#34; &lt;p class=&#34;wide&#34;&gt;"
    assert 'a class="wide" style="b; c" &lt;p class="wide"&gt;' in page(f"<p>{hostile}</p>")
    assert 'aria-label=\'a class="wide" style="b; c" &lt;p class="wide"&gt;\'' in page(
        f'<p aria-label="{hostile}">x</p>'
    )


def test_marks_and_conditional_comments_survive() -> None:
    body = (
        "<!--[if mso]><table><tr><td><![endif]--><table><!--%%0a.begin.listing.0%%--><tr><td>"
        '<a href="%%0a.slot.unsubscribe_url%%">x</a></td></tr><!--%%0a.end%%--></table>'
    )
    inlined = page(body)
    for mark in ("<!--[if mso]><table><tr><td><![endif]-->", "<!--%%0a.begin.listing.0%%--><tr>"):
        assert mark in inlined
    assert 'href="%%0a.slot.unsubscribe_url%%"' in inlined
    assert "</tr><!--%%0a.end%%--></table>" in inlined


def test_an_empty_page_is_an_error_of_one_line() -> None:
    with pytest.raises(RenderError, match="a template made no page"):
        inline("  \n")

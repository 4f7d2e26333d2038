"""Pages are inlined by the kinds of their elements as premailer inlines them whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from premailer import Premailer

from newsletter.render.issue.inline import inline
from newsletter.render.issue.renderer import TemplateRenderer
from tests.render import mails as make

# A rule that no element is meant by; for its sake premailer has to look at the whole page.
_OF_NOBODY = "#nobody { color: red }"

TYPES = ("p", "td", "a", "span", "div", "h1", "body", "html", "title", "o:p", "x-y", "TD")
CLASSES = ("ink", "wide", "a b", "b a", "  ink\twide ", "Ink", "", "é", "0", "a\nb")
STYLES = (
    "color:#abc",
    "COLOR: #ABC; padding:0",
    "width:10px;;",
    "",
    "x",
    "color:red !important",
    "margin:0; color: unset",
)
SELECTORS = ("p", ".ink", "td", ".wide", "p.ink", ".a.b", "a , p", "body", "html", "TD", ".Ink", "o", "div.a.b.a")
WIDER = (
    "*",
    "p .ink",
    "p>a",
    "p + a",
    "p:first-child",
    "a:hover",
    ".ink:hover",
    "[class]",
    "#i",
    "p/**/.ink",
    "title",
)
DECLARATIONS = (
    "color: #fff",
    "color: red !important",
    "padding: 0 4px",
    "margin: unset",
    "font-family: A, B c",
    "background: url(x.png)",
    "color: rgba(1, 2, 3, .5)",
    "font: 10px/2 serif",
    "width: 10px; text-align: center",
    "content: '}'",
    "x: (a{b)",
    "color",
    "/* } */ color: blue",
    "",
)
OPENINGS = ("<style>", '<style type="text/css">', '<style media="print">', '<style data-premailer="ignore">')


def rules(selectors: tuple[str, ...]) -> st.SearchStrategy[str]:
    rule = st.builds(
        lambda names, says: f"{', '.join(names)} {{ {'; '.join(says)} }}",
        st.lists(st.sampled_from(selectors), min_size=1, max_size=2),
        st.lists(st.sampled_from(DECLARATIONS), max_size=3),
    )
    return st.lists(
        rule | st.sampled_from(("/* p { } */", "@media print { p { margin: 0 } }", "")), max_size=4
    ).map("\n".join)


@st.composite
def pages(draw: st.DrawFn) -> tuple[str, ...]:
    """Return a page in two parts; between them, in its first style block, may stand a rule."""
    elements = st.builds(
        "<{}{}{}>{}".format,
        st.sampled_from(TYPES),
        st.sampled_from(("", *(f' class="{classes}"' for classes in CLASSES))),
        st.sampled_from(("", *(f' style="{style}"' for style in STYLES))),
        st.sampled_from(("x", "", '<!--[if mso]><p class="ink"><![endif]-->', "&lt;p&gt;", "</td></p></a>")),
    )
    selectors = draw(st.sampled_from((SELECTORS, SELECTORS, SELECTORS + WIDER)))
    first, second = draw(rules(selectors)), draw(rules(selectors))
    kept = draw(st.sampled_from(OPENINGS))
    doctype = draw(st.sampled_from(("<!DOCTYPE html>\n", "")))
    body = "".join(draw(st.lists(elements, max_size=8)))
    return (
        f"{doctype}<html><head><style>",
        f"{first}</style>{kept}{second}</style></head><body>{body}</body></html>",
    )


@given(pages())
@example(
    ("<html><head><style>", ".ink { color: red } </style></head><body><p class='ink'>x<style>p { margin: 0 }")
)
def test_a_page_is_inlined_by_kinds_as_it_is_as_a_whole(page: tuple[str, ...]) -> None:
    assert inline("".join(page)) == inline(_OF_NOBODY.join(page))


@pytest.fixture
def whole_pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that premailer got as a whole."""
    seen: list[str] = []
    transform: Callable[..., object] = Premailer.transform

    def watched(self: Premailer, html: object, **options: object) -> object:
        if isinstance(html, str):
            seen.append(html)
        return transform(self, html, **options)

    monkeypatch.setattr(Premailer, "transform", watched)
    return seen


def test_no_packaged_mail_is_inlined_as_a_whole(renderer: TemplateRenderer, whole_pages: list[str]) -> None:
    for name, values in make.single_mails().items():
        renderer.mail(name, values)
    for name in ("short", "weekly", "quiet", "chinese"):
        renderer.issue(make.issues()[name], web_url=make.WEB_URL)
    assert not whole_pages


@pytest.mark.parametrize(
    "css",
    ["p > a { color: red }", "a:hover { color: red }", "p { content: '}' }", "@media print { p { margin: 0 } }"],
)
def test_rules_that_see_more_than_a_kind_have_the_whole_page(css: str, whole_pages: list[str]) -> None:
    page = f"<html><head><style>{css}</style></head><body><p>x <a>y</a></p></body></html>"
    inline(page)
    assert whole_pages == [page]


def test_control_characters_in_an_attribute_are_no_error() -> None:
    page = '<html><head><style>p { margin: 0 }</style></head><body><i class="\x01ink">x</i><p>y</p></body></html>'
    assert '<i>x</i><p style="margin:0">y</p>' in inline(page)

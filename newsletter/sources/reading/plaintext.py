"""The plain text of HTML in feeds."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from newsletter.sources.reading.references import unescaped

_LONGEST = 100_000  # characters of markup that are read
# Elements whose content is not shown.
_UNSEEN = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        ("<!--", "-->"),
        (r"<script\b", r"</script\s*>"),
        (r"<style\b", r"</style\s*>"),
        # A second form of the same formula.
        (r"<(?:\w+:)?annotation(?:-xml)?\b", r"</(?:\w+:)?annotation(?:-xml)?\s*>"),
    )
)
_TAG = re.compile(
    r"<(?P<end>/)?+(?:(?P<prefix>[a-z][a-z0-9-]*+):)?+(?P<name>[a-z][a-z0-9-]*+)(?:\s[^<>]*+|/)?+>",
    re.IGNORECASE,
)
# Namespace prefixes of HTML, MathML and JATS.
_PREFIXES = re.compile(r"jats|mml|m|math|mathml|h|html|xhtml|ns\d+", re.IGNORECASE)
_INLINE = re.compile(
    r"a|abbr|b|cite|code|em|font|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|tt|u|var|wbr", re.IGNORECASE
)
_MATH = re.compile(
    r"math|semantics|m(?:row|i|n|o|text|s|space|frac|sqrt|root|style|error|padded|phantom|fenced|enclose|sub|sup"
    r"|subsup|under|over|underover|multiscripts|prescripts|table|tr|td|labeledtr|action|stack)",
    re.IGNORECASE,
)
_JATS_INLINE = re.compile(
    r"italic|bold|sub|sup|monospace|sc|underline|strike|roman|sans-serif|xref|ext-link|uri|email|inline-formula|tex-math"
    r"|alternatives|named-content|styled-content|inline-graphic",
    re.IGNORECASE,
)
_JATS_BLOCK = re.compile(
    r"p|sec|title|list|list-item|disp-formula|disp-quote|graphic|fn|break|abstract|label", re.IGNORECASE
)
_BLOCK = re.compile(
    r"article|aside|audio|blockquote|body|br|button|caption|center|dd|del|details|div|dl|dt|figcaption|figure|footer"
    r"|form|h[1-6]|head|header|hr|html|iframe|img|input|label|li|link|main|meta|nav|ol|p|picture|pre"
    r"|section|source|summary|table|tbody|td|tfoot|th|thead|title|tr|ul|video",
    re.IGNORECASE,
)


# Elements that have no end tag, or may leave it out.
_LONE = re.compile(
    r"area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|t[rdh]", re.IGNORECASE
)


def plain(markup: str) -> str:
    """Return the visible text of an HTML fragment, one line or more.

    Only tags of HTML, MathML and (in publishers' abstracts) JATS count as tags: `Let's <think>` and `a < b` stay
    as they are. A character reference needs its semicolon: `R&D` and `?a=1&copy=2` stay too.
    """
    return _plain(markup, lambda _: True)


def plain_title(markup: str) -> str:
    """Return the visible text of a title, which may be HTML or plain text.

    A tag counts only together with its end tag: `The role of <i>in vitro</i> tests` has markup, `What the <s>
    token does in a <table>` is about it.
    """
    tags = [(tag["name"].lower(), bool(tag["end"])) for tag in _TAG.finditer(markup[:_LONGEST])]
    opened = {name for name, is_end in tags if not is_end}
    closed = {name for name, is_end in tags if is_end}
    paired = opened & closed
    return _plain(markup, lambda name: name in paired or bool(_LONE.fullmatch(name)))


def _plain(markup: str, is_tag: Callable[[str], bool]) -> str:
    text = markup[:_LONGEST].replace("<![CDATA[", "").replace("]]>", "")
    for opening, closing in _UNSEEN:
        text = _without(text, opening, closing)
    text = _TAG.sub(lambda tag: _shown(tag) if is_tag(tag["name"].lower()) else tag[0], text)
    return unescaped(text)


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Return a text without the parts between two marks, in a single pass over the text."""
    kept, at = [], 0
    while (start := opening.search(text, at)) and (end := closing.search(text, start.end())):
        kept.append(text[at : start.start()])
        at = end.end()
    return " ".join([*kept, text[at:]])


def _shown(tag: re.Match[str]) -> str:
    """Return the replacement of a tag: nothing, a space, or the same text if it is no tag."""
    name, prefix = tag["name"], tag["prefix"]
    if prefix and not _PREFIXES.fullmatch(prefix):
        return tag[0]
    if _INLINE.fullmatch(name) or _MATH.fullmatch(name) or (prefix and _JATS_INLINE.fullmatch(name)):
        return ""
    if _BLOCK.fullmatch(name) or (prefix and _JATS_BLOCK.fullmatch(name)):
        return " "
    return tag[0]


_MARKS_A_PAGE = re.compile(r"\s*(?:<!doctype html|<html|<head|<body|<\?xml[^>]*>\s*<html)", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:p|div|h[1-6]|a|li|span|article|section|td)\s*>", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,500})</title", re.IGNORECASE)
_FEW = 3
_OUTSIDE = tuple(
    (re.compile(rf"<{name}\b", re.IGNORECASE), re.compile(rf"</{name}\s*>", re.IGNORECASE))
    for name in ("head", "nav", "svg", "noscript", "template", "select")
)


def is_page(text: str) -> bool:
    """Return whether a text is HTML, whole or in part."""
    return bool(_MARKS_A_PAGE.match(text)) or len(_CLOSING.findall(text)) >= _FEW


def page_title(markup: str) -> str:
    """Return what the head of a whole HTML page calls it, or an empty string."""
    found = _TITLE.search(markup, 0, _LONGEST)
    return " ".join(html.unescape(found[1]).split()) if found else ""


def page_lines(markup: str) -> str:
    """Return the visible text of a whole HTML page, a line for each block, without head and navigation."""
    text = markup
    for opening, closing in (*_UNSEEN, *_OUTSIDE):
        text = _without(text, opening, closing)
    text = _TAG.sub(lambda tag: "\n" if _BLOCK.fullmatch(tag["name"]) else _shown(tag), " ".join(text.split()))
    return html.unescape(text)

"""Plain text of HTML that feeds carry."""

from __future__ import annotations

import html
import re

_LONGEST = 100_000  # characters of markup that are looked at
# What shows nothing, from its beginning to its end.
_UNSEEN = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (("<!--", "-->"), (r"<script\b", r"</script\s*>"), (r"<style\b", r"</style\s*>"))
)
_TAG = re.compile(r"</?(?P<name>[a-z][a-z0-9]*)(?::[a-z-]+)?(?:\s[^<>]*|/)?>", re.IGNORECASE)
_INLINE = re.compile(
    r"a|abbr|b|cite|code|em|font|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|tt|u|var|wbr", re.IGNORECASE
)
_BLOCK = re.compile(
    r"article|aside|audio|blockquote|body|br|button|caption|center|dd|del|details|div|dl|dt|figcaption|figure|footer"
    r"|form|h[1-6]|head|header|hr|html|iframe|img|input|jats|label|li|link|main|math|meta|nav|ol|p|picture|pre"
    r"|section|source|summary|table|tbody|td|tfoot|th|thead|title|tr|ul|video",
    re.IGNORECASE,
)


def plain(markup: str) -> str:
    """Return what a reader would see of an HTML fragment, on one line or more.

    Only tags that HTML (or JATS, in abstracts of publishers) has are taken as such: `Let's <think>` and
    `a < b` stay as they are.
    """
    text = markup[:_LONGEST].replace("<![CDATA[", "").replace("]]>", "")
    for opening, closing in _UNSEEN:
        text = _without(text, opening, closing)
    return html.unescape(_TAG.sub(_shown, text))


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Return a text without what stands between two marks; in one pass, however many marks there are."""
    kept, at = [], 0
    while (start := opening.search(text, at)) and (end := closing.search(text, start.end())):
        kept.append(text[at : start.start()])
        at = end.end()
    return " ".join([*kept, text[at:]])


def _shown(tag: re.Match[str]) -> str:
    if _INLINE.fullmatch(tag["name"]):
        return ""
    return " " if _BLOCK.fullmatch(tag["name"]) else tag[0]


_MARKS_A_PAGE = re.compile(r"\s*(?:<!doctype html|<html|<head|<body|<\?xml[^>]*>\s*<html)", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:p|div|h[1-6]|a|li|span|article|section|td)\s*>", re.IGNORECASE)
_FEW = 3
_OUTSIDE = tuple(
    (re.compile(rf"<{name}\b", re.IGNORECASE), re.compile(rf"</{name}\s*>", re.IGNORECASE))
    for name in ("head", "nav", "svg", "noscript", "template", "select")
)


def is_page(text: str) -> bool:
    """Tell whether a text is HTML, or a piece of it."""
    return bool(_MARKS_A_PAGE.match(text)) or len(_CLOSING.findall(text)) >= _FEW


def page_lines(markup: str) -> str:
    """Return what a whole HTML page shows, a line for each block, without its head and navigation."""
    text = markup
    for opening, closing in (*_UNSEEN, *_OUTSIDE):
        text = _without(text, opening, closing)
    text = _TAG.sub(lambda tag: "\n" if _BLOCK.fullmatch(tag["name"]) else _shown(tag), " ".join(text.split()))
    return html.unescape(text)

"""CSS inlining: the one module that knows premailer.

A page has two kinds of style blocks. A plain block becomes `style` attributes and is removed; it may have
selectors of types and classes, and no `!important`. A block marked `data-premailer="ignore"` stays unchanged, for
rules that an attribute cannot hold: media queries, `:hover`, `:root`.

The style of an element then follows from its type, its classes and its own `style` attribute, of which a page of
thousands of elements has some fifty combinations. So premailer inlines a small page that has each of them once,
and the page takes them from there. What it found is kept for the next page with the same blocks. A page with other
selectors, such as an operator's own template may have, is inlined by premailer as a whole.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from newsletter.core.errors import RenderError

if TYPE_CHECKING:
    from premailer import Premailer

# premailer makes these from styles, also on links and <body>, where they are wrong; templates write their own.
_NOT_DERIVED = ("align", "bgcolor", "height", "valign", "width")
_ONE_AT_A_TIME = threading.Lock()  # cssutils, under premailer, is not thread-safe
_SHEETS_KEPT = 16  # sets of plain blocks: they differ by theme, and by the fonts of a language
_KINDS_KEPT = 2_000  # of elements, for each of them

_STYLE_BLOCK = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL)
_CLASS_NAME = re.compile(r"\.([a-zA-Z][\w-]*)")
_TAG = re.compile(r"<[a-z][^<>]*>")  # safe on serialised pages, whose other `<` and `>` are entities
_ATTRIBUTE = re.compile(r""" ([\w:-]+)=("[^"]*"|'[^']*')""")
_SHORT_COLOUR = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])\b")

# A sheet of nothing but rules whose selectors name a type, classes or both (CSS Syntax 3, without escapes, strings
# and at-rules). Each repetition is possessive, as no shorter one could lead to a match: it takes linear time.
_NAME = r"[a-zA-Z][\w-]*+"
_SELECTOR = rf"(?:{_NAME}(?:\.{_NAME})*+|(?:\.{_NAME})++)"
_SPACE = r"(?:\s|/\*(?:[^*]|\*(?!/))*+\*/)*+"
_VALUE = r"""(?:[^{}()@"'\\/<]|/(?!\*))"""
_DECLARATIONS = rf"(?:{_VALUE}|\({_VALUE}*+\))*+"
_SIMPLE_SHEET = re.compile(
    rf"{_SPACE}(?:{_SELECTOR}\s*+(?:,\s*+{_SELECTOR}\s*+)*+\{{{_DECLARATIONS}\}}{_SPACE})*+", re.ASCII
)


class _Kind(NamedTuple):
    """What the style of an element follows from; None where it has no such attribute."""

    tag: str
    classes: str | None
    style: str | None


def inline(html: str) -> str:
    """Return a page with the rules of its plain style blocks in `style` attributes; takes some 0.5 ms per listing.

    Classes that no remaining rule names are removed. Colours keep six digits, as old mail programs need them.

    Raises:
        RenderError: the page is empty, or premailer cannot read it.
    """
    try:
        with _ONE_AT_A_TIME:
            page = _by_kinds(html) or str(_premailer().transform(html, pretty_print=False))
    except Exception as error:  # premailer lets through whatever cssutils, cssselect and lxml raise
        raise RenderError(f"a template made no page whose styles can be inlined: {error}") from error
    return _tidied(page)


def _premailer() -> Premailer:
    from premailer import Premailer

    return Premailer(
        strip_important=False,
        disable_validation=True,
        disable_basic_attributes=_NOT_DERIVED,
        allow_network=False,
        allow_loading_external_files=False,
        align_floating_images=False,
        cssutils_logging_level=logging.CRITICAL,
    )


def _by_kinds(html: str) -> str:
    """Return a page as premailer makes it, or nothing where the rules see more of an element than its kind."""
    from lxml import etree

    source = html.strip()
    page: Any = etree.fromstring(source, etree.HTMLParser())
    if page is None:
        raise ValueError("it has no element")
    blocks = [block for block in page.iter("style") if block.get("data-premailer") != "ignore"]
    if not all(map(_is_simple, blocks)):
        return ""
    elements = [
        (element, _Kind(element.tag, element.get("class"), element.get("style"))) for element in page.iter("*")
    ]
    try:
        styles = _styles(tuple(block.text or "" for block in blocks), {kind for _, kind in elements})
    except ValueError:  # lxml reads control characters in an attribute, but writes none into a sample
        return ""
    for element, kind in elements:
        if (style := styles[kind]) != kind.style:
            element.set("style", style)
    for block in blocks:
        block.text = ""
    _premailer().transform(page)  # removes the empty blocks and the marks of others
    # premailer leaves out a doctype that lxml has added.
    whole = page.getroottree()
    of = whole if source.startswith(whole.docinfo.doctype) else page
    return str(etree.tostring(of, method="html", encoding="utf-8").decode())


def _is_simple(block: Any) -> bool:
    """Return whether a style block is for all media, and its rules see nothing but types and classes."""
    return set(block.attrib) <= {"type"} and _SIMPLE_SHEET.fullmatch(block.text or "") is not None


def _styles(blocks: tuple[str, ...], kinds: Collection[_Kind]) -> Mapping[_Kind, str | None]:
    """Return the `style` attribute of each kind of element in a page with these style blocks."""
    known = _known(blocks)
    if missing := [kind for kind in kinds if kind not in known]:
        if len(known) + len(missing) > _KINDS_KEPT:
            known.clear()
            missing = list(kinds)
        known.update(_inlined(blocks, missing))
    return known


@lru_cache(maxsize=_SHEETS_KEPT)
def _known(_blocks: tuple[str, ...]) -> dict[_Kind, str | None]:
    """Return what is known of the styles in pages with these style blocks: at first nothing."""
    return {}


def _inlined(blocks: Collection[str], kinds: Collection[_Kind]) -> Iterator[tuple[_Kind, str | None]]:
    """Yield each kind of element with the `style` attribute that premailer gives to it."""
    from lxml import etree

    page = etree.HTMLParser().makeelement("html")
    head, body = etree.SubElement(page, "head"), etree.SubElement(page, "body")
    for block in blocks:
        etree.SubElement(head, "style").text = block
    samples = [(kind, etree.SubElement(body, kind.tag, _attributes(kind))) for kind in kinds]
    _premailer().transform(page)
    for kind, sample in samples:
        yield kind, sample.get("style")


def _attributes(kind: _Kind) -> dict[str, str]:
    named = {"class": kind.classes, "style": kind.style}
    # A style block is a sample too, not a sheet to read.
    named["data-premailer"] = "ignore" if kind.tag == "style" else None
    return {name: value for name, value in named.items() if value is not None}


def _tidied(page: str) -> str:
    """Return a page without classes that no rule names, and with colours of six digits."""
    used = {name for block in _STYLE_BLOCK.findall(page) for name in _CLASS_NAME.findall(block)}
    known: dict[str, str] = {}  # most attributes stand in a page many times

    def tidied(name: str, written: str) -> str:
        if name == "style":
            return _SHORT_COLOUR.sub(r"#\1\1\2\2\3\3", written).replace("; ", ";")
        names = [one for one in written[len(' class="') : -1].split() if one in used]
        return f' class="{" ".join(names)}"' if names else ""

    def tidy(attribute: re.Match[str]) -> str:
        written, name = attribute.group(0, 1)
        if name not in ("style", "class"):
            return written
        if written not in known:
            known[written] = tidied(name, written)
        return known[written]

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(tidy, tag[0]), page)

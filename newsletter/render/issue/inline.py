"""CSS inlining: the one module that knows premailer.

A page has two kinds of style blocks. A plain block becomes `style` attributes and is removed; it may have
selectors of types and classes, and no `!important`. A block marked `data-premailer="ignore"` stays unchanged, for
rules that an attribute cannot hold: media queries, `:hover`, `:root`.
"""

from __future__ import annotations

import logging
import re
import threading

from newsletter.core.errors import RenderError

# premailer makes these from styles, also on links and <body>, where they are wrong; templates write their own.
_NOT_DERIVED = ("align", "bgcolor", "height", "valign", "width")
_ONE_AT_A_TIME = threading.Lock()  # cssutils, under premailer, is not thread-safe

_STYLE_BLOCK = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL)
_CLASS_NAME = re.compile(r"\.([a-zA-Z][\w-]*)")
_TAG = re.compile(r"<[a-z][^<>]*>")  # safe on serialised pages, whose other `<` and `>` are entities
_ATTRIBUTE = re.compile(r""" ([\w:-]+)=("[^"]*"|'[^']*')""")
_SHORT_COLOUR = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])\b")


def inline(html: str) -> str:
    """Return a page with the rules of its plain style blocks in `style` attributes; takes about 1 ms per listing.

    Classes that no remaining rule names are removed. Colours keep six digits, as old mail programs need them.

    Raises:
        RenderError: the page is empty, or premailer cannot read it.
    """
    from premailer import Premailer

    premailer = Premailer(
        strip_important=False,
        disable_validation=True,
        disable_basic_attributes=_NOT_DERIVED,
        allow_network=False,
        allow_loading_external_files=False,
        align_floating_images=False,
        cssutils_logging_level=logging.CRITICAL,
    )
    try:
        with _ONE_AT_A_TIME:
            page = str(premailer.transform(html, pretty_print=False))
    except Exception as error:  # premailer lets through whatever cssutils, cssselect and lxml raise
        raise RenderError(f"a template made no page whose styles can be inlined: {error}") from error
    used = {name for block in _STYLE_BLOCK.findall(page) for name in _CLASS_NAME.findall(block)}

    def tidy(attribute: re.Match[str]) -> str:
        if attribute[1] == "style":
            return _SHORT_COLOUR.sub(r"#\1\1\2\2\3\3", attribute[0]).replace("; ", ";")
        if attribute[1] == "class":
            names = [name for name in attribute[2][1:-1].split() if name in used]
            return f' class="{" ".join(names)}"' if names else ""
        return attribute[0]

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(tidy, tag[0]), page)

"""A model's answer as one plain paragraph: no markup, links, labels or invisible characters. Pure.

Each step takes time in proportion to the text.
"""

from __future__ import annotations

import json
import re
import unicodedata

from newsletter.core.machine_text.labels import without_label
from newsletter.core.machine_text.markup import without_html, without_markdown, without_references
from newsletter.core.machine_text.refusal import RefusedTextError, named
from newsletter.core.machine_text.thinking import without_thinking
from newsletter.core.normalisation import normalised

_ROUNDS = 12  # of cleaning, after which an answer has to be at rest
_LINES = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
# Letters and marks that nobody sees: fillers, joiners, selectors of a variant (Unicode Standard, 23.4).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_NO_CHARACTERS = frozenset(("Cf", "Co", "Cs", "Cn"))
# Each opening with its closing.
_QUOTES = tuple(
    (pair[0], pair[1])
    for pair in (
        *("\u201c\u201d", "\u201e\u201c", "\u201e\u201d", "\u00ab\u00bb", "\u2018\u2019"),
        *("\u300c\u300d", "\u300e\u300f", "\u300a\u300b", '""', "''"),
    )
)
_OWN_KEYS = ("summary", "title", "translation", "text", "answer")
_URL = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{1,15}://|(?:mailto|javascript|data|tel|doi):(?=\S)|www\.(?=\S))\S*"
    r""
    r"|\b[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,12}\b",
    re.IGNORECASE,
)
_PATH = re.compile(r"\b(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,12}/\S*", re.IGNORECASE)
_ALONE = re.compile(r"[(\[<]\s?(?:https?://|www\.)[^\s()\[\]<>]*\s?[)\]>]", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])\s*")
_DOMAIN = re.compile(
    r"\b(?:[a-z0-9-]{1,63}\.){1,5}(?:com|org|net|info|biz|io|ai|dev|app|co|me|ly|gg|xyz|site|online|shop"
    r"|top|club|ru|cn|de|fr|es|uk|jp|eu|in|br|edu|gov)\b(?!\.\w)",
    re.IGNORECASE,
)

# What browsers take for a dot in a name of a site (UTS 46, 4); a Chinese sentence may begin behind the last one.
_DOTS = re.compile(r"[\uff0e\uff61]|\u3002(?=(?:com|net|org)\b)", re.IGNORECASE)


def cleaned(answer: str, *, source: str, like: str = "") -> str:
    """Return an answer as one plain paragraph, in NFC; cleaning it again changes nothing.

    Args:
        answer: as it came.
        source: title and abstract of the paper, whose sites it may name.
        like: a text that it translates, and whose label it keeps (`TL;DR: …`).

    Raises:
        RefusedTextError: it cannot be had apart from thinking, markup or links.
    """
    text = answer
    for _ in range(_ROUNDS):
        once = _cleaned_once(text, like, source)
        if once == text:
            return text
        text = once
    raise RefusedTextError("its markup has no end")


def _cleaned_once(text: str, like: str, source: str) -> str:
    text = without_thinking(_seen(without_references(text)))
    text = without_html(_of_json(text.strip()))
    text = without_markdown(text)
    text = without_label(text.strip(), like)
    text = _unquoted(" ".join(text.split()))
    text = _without_links(text, source)
    return normalised("NFC", " ".join(text.split()))


def _seen(text: str) -> str:
    """Return a text without what is not seen; line breaks stay."""
    text = _UNSEEN.sub("", _LINES.sub("\n", text))
    if text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    kind = unicodedata.category(char)
    if kind in _NO_CHARACTERS:
        return ""
    return " " if (kind == "Cc" and char != "\n") or kind == "Zs" else char


def _of_json(text: str) -> str:
    """Return the text in an answer that is a JSON object with one value, and other answers as they are."""
    if not text.startswith("{"):
        return text
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return text
    match fields:
        case dict() if len(fields) == 1 and isinstance(value := next(iter(fields.values())), str):
            return value if next(iter(fields)).lower() in _OWN_KEYS else text
    return text


def _unquoted(text: str) -> str:
    for opening, closing in _QUOTES:
        inner = text[1:-1]
        if text.startswith(opening) and text.endswith(closing) and len(text) > 1:
            return text if opening in inner or closing in inner else inner.strip()
    return text


def _without_links(text: str, source: str) -> str:
    """Return a text without links, and without the sentences that need them.

    Raises:
        RefusedTextError: nothing is left without them, or it names a site that the paper does not.
    """
    text = _ALONE.sub(" ", text)
    if _URL.search(text) or _PATH.search(text):
        sentences = (one for one in _SENTENCE_END.split(text) if not (_URL.search(one) or _PATH.search(one)))
        text = " ".join(sentences)
        if not text.strip():
            raise RefusedTextError("it is a link")
    for site in _DOMAIN.finditer(_DOTS.sub(".", text)):
        if site[0].lower() not in source.lower():
            raise RefusedTextError(f"it names a site: {named(site[0])}")
    return text

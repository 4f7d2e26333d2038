"""HTML and Markdown in a model's answer: what they mark stays, they go. Pure, in linear time."""

from __future__ import annotations

import re

from newsletter.core.machine_text.refusal import RefusedTextError

_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));")
_LAST_CHARACTER = 0x10FFFF  # of Unicode
_ENTITIES = {
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "quot": '"',
    "apos": "'",
    "nbsp": " ",
    "ndash": "\u2013",
    "mdash": "\u2014",
    "hellip": "\u2026",
    "ldquo": "\u201c",
    "rdquo": "\u201d",
    "lsquo": "\u2018",
    "rsquo": "\u2019",
    "laquo": "\u00ab",
    "raquo": "\u00bb",
    "times": "\u00d7",
    "minus": "\u2212",
    "plusmn": "\u00b1",
    "le": "\u2264",
    "ge": "\u2265",
    "auml": "\u00e4",
    "ouml": "\u00f6",
    "uuml": "\u00fc",
    "szlig": "\u00df",
    "eacute": "\u00e9",
    "egrave": "\u00e8",
    "deg": "\u00b0",
    "micro": "\u00b5",
}
_RAISED = re.compile(r"<(su[pb])>([^<>]{0,40})</\1>", re.IGNORECASE)
_SUPERSCRIPTS = str.maketrans(
    "0123456789+-\u2212n",
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b\u207b\u207f",
)
_SUBSCRIPTS = str.maketrans("0123456789", "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089")
_UNSEEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))
_BLOCK = re.compile(
    r"</?(?:p|div|br|h[1-6]|li|ul|ol|blockquote|tr|td|th|table|section|article|body|html|head)\b[^<>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][\w:.-]*+(\s[^<>]*+)?+/?>")
_REST = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^`\n]{0,30}$|`{3,}", re.MULTILINE)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)")
_FOOTNOTE = re.compile(r"\[\^[^\[\]]{1,20}\]")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+\u2022][ \t]+(?=\S)|1[.)][ \t]+(?=\S))", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,}|={3,})[ \t]*$", re.MULTILINE)
_EMPHASES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![\w*^\\$])\*\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*\*(?![\w*])",
        r"(?<![\w*^\\$])\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*(?![\w*])",
        r"(?<![\w*^\\$])\*(?=[^\s*$])([^*\n]*[^\s*^])\*(?![\w*$])",
        r"(?<![\w_\\$])__(?=[^\s_])([^_\n]*[^\s_])__(?![\w_])",
        r"(?<![\w_\\$])_(?=[^\s_$])([^_\n]*[^\s_])_(?![\w_$])",
        r"~~(?=[^\s~])([^~\n]*[^\s~])~~",
        r"(?<!`)`(?=[^\s`])([^`\n]*)`(?![`'])",
    )
)
_BOLD = re.compile(r"\*\*(?=\S)([^*]*)\*\*")


def without_references(text: str) -> str:
    """Return a text with characters in place of references to them, such as `&lt;`."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def without_html(text: str) -> str:
    """Return a text without tags; raised and lowered digits stay so.

    Raises:
        RefusedTextError: it holds what may be a tag, or may not.
    """
    if "<" not in text:
        return text
    for opening, closing in _UNSEEN:
        text = _without(text, opening, closing)
    text = _RAISED.sub(_raised, text)
    text = _TAG.sub(_untagged, _BLOCK.sub("\n", text))
    if _REST.search(text):
        raise RefusedTextError("it holds markup")
    return text


def without_markdown(text: str) -> str:
    """Return a text without marks of Markdown; of links, their words stay."""
    text = _FENCE.sub("\n", text)
    text = _IMAGE_OR_LINK.sub(r"\1", text) if "](" in text else text
    text = _FOOTNOTE.sub("", text)
    text = _LINE_MARK.sub("", _RULE.sub("", text))
    for pattern in _EMPHASES:
        text = pattern.sub(r"\1", text)
    return _BOLD.sub(r"\1", text)


def _character(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _ENTITIES.get(name, reference[0])
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code <= _LAST_CHARACTER else ""


def _untagged(tag: re.Match[str]) -> str:
    attributes = (tag[1] or "").strip(" /")
    return tag[0] if attributes and not set("=\"'") & set(attributes) else ""  # `a <b and c> d` is no tag


def _raised(mark: re.Match[str]) -> str:
    inner = mark[2].strip()
    if mark[1].lower() == "sub":
        return inner.translate(_SUBSCRIPTS)
    raised = inner.translate(_SUPERSCRIPTS)
    return f"^{inner}" if inner and raised.isascii() else raised


def _without(text: str, opening: str, closing: str) -> str:
    """Return a text without the parts between two marks, in a single pass."""
    lower, kept, at = text.lower(), [], 0
    if len(lower) != len(text):  # a letter that is two in small letters
        lower = text
    while (start := lower.find(opening, at)) >= 0 and (end := lower.find(closing, start)) >= 0:
        kept.append(text[at:start])
        at = end + len(closing)
    return " ".join([*kept, text[at:]])

"""Decodes documents whose declared encoding may be wrong. For files, see `file_text`.

Servers and files declare encodings that they don't use, and files in one encoding hold bytes of another. A
declared encoding counts if the bytes fit it. UTF-8 counts whenever the bytes are valid UTF-8: other text hardly
ever is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

# The longer mark first: the mark of UTF-32-LE begins with the mark of UTF-16-LE.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The bytes of a document's first character, "<" or "{", without a mark (XML 1.0, appendix F).
_UNMARKED = (
    (re.compile(rb"[<{\[ ]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\[ ]"), "utf-32-be"),
    (re.compile(rb"[<{\[ \r\n]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{\[ \r\n]"), "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']""")
# A name is read as its superset, as in browsers (https://encoding.spec.whatwg.org/#names-and-labels).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis-620": "cp874",
}
# Codecs of Python that the web does not use; some take quadratic time.
_NOT_OF_THE_WEB = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7", "mbcs", "oem"}
_STATEFUL = re.compile("iso2022|hz")  # encodings in which ASCII bytes stand for other characters
_TRAIL = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def decoded(content: bytes, charset: str = "") -> str:
    """Return the text of a document. Bytes that its encoding does not have become U+FFFD.

    Args:
        content: the document, with a byte order mark, an XML declaration, or neither.
        charset: the encoding that the transport names, or nothing.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    for start, encoding in _UNMARKED:
        if start.match(content):
            return content.decode(encoding, "replace")
    declared = list(_declared_by(content, charset))
    if not _STATEFUL.match("".join(declared[:1])):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    for encoding in declared:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode(_likely(content, declared), "replace")


def _declared_by(content: bytes, charset: str) -> Iterator[str]:
    """Yield the codecs of the encodings that the document and the transport name."""
    found = _DECLARED.match(content)
    for name in (found[1].decode("ascii") if found else "", charset):
        try:
            codec = codecs.lookup(name.strip().strip("\"'")).name
            "".encode(codec)  # fails for codecs that don't encode text
        except (LookupError, ValueError):
            continue
        if codec not in _NOT_OF_THE_WEB and not codec.startswith(("utf-16", "utf-32")):
            yield _SUPERSETS.get(codec, codec)


def _likely(content: bytes, declared: list[str]) -> str:
    """Return the most likely encoding of a document with invalid bytes, which fits no declared encoding.

    A document with no fewer UTF-8 letters than invalid bytes is UTF-8; otherwise it is Windows-1252.
    """
    others = [encoding for encoding in declared if encoding != "utf-8"]
    if others:
        return others[0]
    letters = len(_TRAIL.findall(content))
    wrong = content.decode("utf-8", "replace").count("\ufffd")
    return "utf-8" if letters >= wrong else "cp1252"

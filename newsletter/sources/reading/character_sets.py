"""Turns bytes into text when what is said of their encoding may be wrong. For files, see `file_text`.

Servers and files name encodings that they don't use, and files in one encoding hold a byte of another. What is
said counts where the bytes agree with it; UTF-8 counts wherever they are UTF-8, as no other text looks like it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

# The longer mark first: that of UTF-32-LE begins with that of UTF-16-LE.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How the first character of a document, "<" or "{", looks without a mark (XML 1.0, appendix F).
_UNMARKED = (
    (re.compile(rb"[<{\[ ]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\[ ]"), "utf-32-be"),
    (re.compile(rb"[<{\[ \r\n]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{\[ \r\n]"), "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']""")
# Names stand for their supersets, as in browsers (https://encoding.spec.whatwg.org/#names-and-labels).
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
# Codecs that Python has and the web has not; some take time that grows with the square of the text.
_NOT_OF_THE_WEB = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7", "mbcs", "oem"}
_STATEFUL = re.compile("iso2022|hz")  # ASCII bytes that stand for other characters
_TRAIL = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def decoded(content: bytes, charset: str = "") -> str:
    """Return the text of a document. Bytes that are no character of its encoding become U+FFFD.

    Args:
        content: the document, with a byte order mark or an XML declaration or neither.
        charset: the encoding as the transport named it, or nothing.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    for start, encoding in _UNMARKED:
        if start.match(content):
            return content.decode(encoding, "replace")
    said = list(_said(content, charset))
    if not _STATEFUL.match("".join(said[:1])):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    for encoding in said:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode(_likely(content, said), "replace")


def _said(content: bytes, charset: str) -> Iterator[str]:
    """Yield the codecs of the encodings that the document and the transport name."""
    declared = _DECLARED.match(content)
    for name in (declared[1].decode("ascii") if declared else "", charset):
        try:
            codec = codecs.lookup(name.strip().strip("\"'")).name
            "".encode(codec)  # some codecs are not of texts
        except (LookupError, ValueError):
            continue
        if codec not in _NOT_OF_THE_WEB and not codec.startswith(("utf-16", "utf-32")):
            yield _SUPERSETS.get(codec, codec)


def _likely(content: bytes, said: list[str]) -> str:
    """Return the encoding of a document that is in none of those said: it has wrong bytes.

    More letters of UTF-8 than wrong bytes make it UTF-8; no letter of UTF-8 makes it the old Western encoding.
    """
    others = [encoding for encoding in said if encoding != "utf-8"]
    if others:
        return others[0]
    letters = len(_TRAIL.findall(content))
    wrong = content.decode("utf-8", "replace").count("\ufffd")
    return "utf-8" if letters >= wrong else "cp1252"

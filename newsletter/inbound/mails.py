"""Reads mails that strangers wrote: bounded in bytes, lines and nesting, so that none takes long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser

from newsletter.core.text import one_line

MOST_BYTES = 1024 * 1024  # of a mail that are read: a report stands at its beginning
_MOST_LINES = 20_000
_LONGEST_LINE = 10_000
_MOST_NESTED = 40  # parts that hold others
_MOST_HEADER = 2000  # characters
_MOST_GROUPS = 200  # of fields, in a delivery status
_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_CODED = {"base64", "quoted-printable"}
_HOLDS_OTHERS = re.compile(rb"^content-type:\s{0,80}(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_RETURNED = {
    "message/rfc822",
    "message/global",
    "message/partial",
    "text/rfc822-headers",
    "text/rfc822",
    "message/rfc822-headers",
    "message/global-headers",
}


class UnreadableMailError(ValueError):
    """A mail is not read, as it is built to take long."""


def bounded(raw: bytes) -> bytes:
    """Return a mail with line ends of Unix, and no more of it than is read."""
    lines = raw[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n", _MOST_LINES)
    return b"\n".join(line[:_LONGEST_LINE] for line in lines[:_MOST_LINES])


def parsed(content: bytes) -> Message:
    """Return a mail of `bounded`, with its parts.

    Raises:
        UnreadableMailError: its parts are nested too deeply.
    """
    if len(_HOLDS_OTHERS.findall(content)) > _MOST_NESTED:
        raise UnreadableMailError("its parts are nested too deeply")
    try:
        return message_from_bytes(content)
    except RecursionError:
        raise UnreadableMailError("its parts are nested too deeply") from None


def header(message: Message, name: str) -> str:
    """Return a field as one line of text, decoded, or nothing."""
    return _decoded(message.get(name))


def headers(message: Message, *names: str) -> tuple[str, ...]:
    """Return all fields of these names, as `header` does."""
    return tuple(_decoded(value) for name in names for value in message.get_all(name, [])[:20])


def _decoded(value: object) -> str:
    if value is None:
        return ""
    text = str(value)[:_MOST_HEADER]
    if "=?" in text:
        try:
            parts = decode_header(text)
            text = "".join(
                part if isinstance(part, str) else part.decode(charset or "latin-1", "replace")
                for part, charset in parts
            )
        except (ValueError, LookupError):  # no encoded words after all
            pass
    return one_line(text, _MOST_HEADER)


def parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a mail, but not those of a mail that it returns."""
    if message.get_content_type() in _RETURNED:
        return
    yield message
    for part in inner(message):
        yield from parts(part)


def returned(message: Message) -> Iterator[Message]:
    """Yield the heads of mails that a report returns, whole or as their headers alone."""
    within = inner(message)
    if message.get_content_type() in _RETURNED:
        yield from within[:5] or [BytesHeaderParser().parsebytes(_content(message))]
        return
    for part in within:
        yield from returned(part)


def groups_of(part: Message) -> list[Message]:
    """Return the groups of fields that a delivery status holds, the message's first (RFC 3464, 2.1).

    Python's parser knows them in a `message/delivery-status` that is not encoded. An international one
    (RFC 6533, 3) it takes for a mail, and what is in base64 for text.
    """
    if part.get_content_type() == "message/delivery-status" and not _is_coded(part):
        return inner(part)
    groups = _BLANK.split(_undone(part).strip(), _MOST_GROUPS)[:_MOST_GROUPS]
    return [HeaderParser().parsestr(group) for group in groups]


def fields_of(part: Message) -> Message:
    """Return the fields that a part holds as its content, as a feedback report does."""
    if _is_coded(part):
        return HeaderParser().parsestr(_undone(part).lstrip())
    return next(iter(inner(part)), None) or BytesHeaderParser().parsebytes(_content(part).lstrip())


def _is_coded(part: Message) -> bool:
    return header(part, "Content-Transfer-Encoding").lower() in _CODED


def _undone(part: Message) -> str:
    """Return the content of a part that was taken for one that holds others, with its transfer encoding undone."""
    written = Message()
    written["Content-Transfer-Encoding"] = header(part, "Content-Transfer-Encoding")
    written.set_payload(b"\n".join(map(_as_written, inner(part))).decode("ascii", "surrogateescape"))
    return _content(written).decode("utf-8", "replace").replace("\r\n", "\n")


def _as_written(part: Message) -> bytes:
    """Return fields and content of a part that was read, as they stood there."""
    fields = "".join(f"{name}: {value}\n" for name, value in part.raw_items())
    return fields.encode("ascii", "surrogateescape") + b"\n" + _content(part)


def inner(message: Message) -> list[Message]:
    """Return the parts right within a part; none where it has a content."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def text_of(message: Message) -> str:
    """Return the text parts of a mail, joined; of what it returns, nothing."""
    texts = [
        _text(part)
        for part in parts(message)
        if part.get_content_maintype() == "text" and part.get_content_subtype() != "html"
    ]
    return "\n".join(texts)[: 64 * 1024]


def _text(part: Message) -> str:
    try:
        return _content(part).decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # no such character set
        return _content(part).decode("latin-1")


def _content(part: Message) -> bytes:
    """Return the content of a part, decoded."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""

"""A mail for the checks: the final bytes, parsed."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, fields
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from lxml import etree
from lxml import html as lxml_html

from newsletter.core.issue import Issue
from newsletter.render.lint.finding import Spot

_FIELD_END = re.compile(rb"\n(?![ \t])")


@dataclass(frozen=True, slots=True)
class Field:
    """A header field: its name, and its value unchanged, with folds."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        """Return the value on one line, with encoded words."""
        return " ".join(self.raw.decode("utf-8", "replace").split())

    @property
    def decoded(self) -> str:
        """Return the value with encoded words decoded."""
        try:
            return str(make_header(decode_header(self.value)))
        except (LookupError, ValueError):  # an encoded word of an unknown charset, or broken
            return self.value


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the mail: its content type in lower case, its encoding, its bytes unchanged, and its text."""

    content_type: str
    encoding: str
    raw: bytes
    text: str


class Mail:
    """The final bytes of a mail, parsed; mistakes raise no error here, since the checks report them.

    `issue` is the mail's issue; None for a single mail.
    """

    def __init__(self, raw: bytes, issue: Issue | None = None) -> None:
        self.raw, self.issue = raw, issue
        head, _, _ = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        self.fields = tuple(_field(line) for line in _FIELD_END.split(head) if line)
        self._message: Message = message_from_bytes(raw, policy=compat32)
        self.content_type = self._message.get_content_type()
        self.parts = tuple(_part(part) for part in self._message.walk() if not part.is_multipart())

    def all(self, name: str) -> list[Field]:
        """Return the header fields with a name."""
        return [field for field in self.fields if field.name.lower() == name.lower()]

    def first(self, name: str) -> Field | None:
        """Return the topmost header field with a name, or None."""
        return next(iter(self.all(name)), None)

    def _text_of(self, content_type: str) -> str:
        return next((part.text for part in self.parts if part.content_type == content_type), "")

    @cached_property
    def text(self) -> str:
        """Return the text part, or nothing."""
        return self._text_of("text/plain")

    @cached_property
    def html(self) -> str:
        """Return the source of the HTML part, or nothing."""
        return self._text_of("text/html")

    @cached_property
    def page(self) -> Any:
        """Return the root element of the HTML part (lxml), or that of an empty page."""
        parser = lxml_html.HTMLParser(encoding="utf-8")
        source = self.html.strip() or "<html></html>"
        return lxml_html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)

    def spot_of(self, element: Any) -> Spot:
        """Return where an element of the page stands."""
        before = itertools.takewhile(lambda other: other is not element, self.page.iter(element.tag))
        return Spot(tag=element.tag, index=sum(1 for _ in before))

    def spot_of_text(self, text: str) -> Spot | None:
        """Return the first element of the page with a text in its own text or in an attribute, if there is one."""
        for element in self.page.iter(etree.Element):
            own = [element.text or "", *(child.tail or "" for child in element), *element.attrib.values()]
            if any(text in each for each in own):
                return self.spot_of(element)
        return None

    def line_of_text(self, text: str) -> Spot | None:
        """Return the first line of the text part that has a text, if there is one."""
        lines = enumerate(self.text.splitlines(), start=1)
        return next((Spot(text_line=number) for number, line in lines if text in line), None)

    @cached_property
    def shown_text(self) -> str:
        """Return the text of the HTML part's body, with spaces collapsed."""
        body = self.page.find("body")
        return " ".join(body.text_content().split()) if body is not None else ""

    @cached_property
    def written(self) -> str:
        """Return all text that other people wrote: the texts and links of the issue's listings, without markup."""
        listings = (item.listing for item in self.issue.listings) if self.issue else ()
        values = (getattr(listing, field.name) for listing in listings for field in fields(listing))
        texts = (value if isinstance(value, str) else "\n".join(value) for value in values if _is_text(value))
        return plain("\n".join(texts))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Return the targets of all links of the HTML part, unchanged."""
        return tuple(
            element.get("href") for element in self.page.iter("a", "area") if element.get("href") is not None
        )

    @cached_property
    def links_of_titles(self) -> tuple[str, ...]:
        """Return the targets of links that are headings: of an issue these are the titles of papers."""
        headings = self.page.iter("h1", "h2", "h3")
        return tuple(link.get("href") for heading in headings for link in heading.findall("a") if link.get("href"))


def plain(text: str) -> str:
    """Return text on one line, without the escapes of links and of LaTeX, to search for it in `written`."""
    return " ".join(unquote(text).replace("\\", "").split())


def _is_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, tuple) and all(isinstance(part, str) for part in value))


def _field(line: bytes) -> Field:
    name, _, value = line.partition(b":")
    return Field(name.decode("utf-8", "replace").strip(), value)


def _part(message: Message) -> Part:
    raw = message.get_payload(decode=False)
    decoded = message.get_payload(decode=True)
    return Part(
        content_type=message.get_content_type(),
        encoding=str(message.get("Content-Transfer-Encoding", "7bit")).strip().lower(),
        raw=raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b"",
        text=decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else "",
    )

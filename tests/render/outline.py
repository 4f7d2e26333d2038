"""What a page says, read by the standard library's parser: links, images, headings, text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = {"style", "script", "title"}


@dataclass
class Outline:
    """The parts of a page that tests ask for."""

    links: list[str] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    title: str = ""
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.outline = Outline()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.outline.tags.add(tag)
        if tag == "a" and values.get("href"):
            self.outline.links.append(str(values["href"]))
        if tag == "img":
            self.outline.images.append(values)
        if tag in {"h1", "h2"}:
            self.outline.headings.append("")
        if tag in _SILENT or tag in {"h1", "h2"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "title":
            self.outline.title += data
        elif inside not in _SILENT:
            self.outline.text += data
        if inside in {"h1", "h2"}:
            self.outline.headings[-1] += data


def outline(html: str) -> Outline:
    """Return what a page says."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.outline

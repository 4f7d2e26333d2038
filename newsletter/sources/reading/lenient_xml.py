"""Reads broken XML, in linear time.

Feeds contain unescaped ampersands, unclosed tags, junk before and after the root, and references that XML does not
have. A strict parser refuses such a feed as a whole. A parser that repairs the text and tries again may take very
long. This parser reads the text once. What is not a tag is text. An end tag closes the nearest open element of its
name, or is skipped if there is none. No declaration of the document is expanded or fetched: entities can neither
grow nor lead to a file.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from newsletter.sources.reading.references import unescaped

_MAX_ELEMENTS = 500_000
_MAX_DEPTH = 100
_MAX_ATTRIBUTES = 50
_MAX_NAMESPACES = 100
_MAX_VALUE = 10_000  # characters of an attribute's value
_NAME = r"[^\W\d][\w.:-]*+"
# Each alternative begins with a different character, and none backtracks: no text is read twice.
_START = re.compile(rf"""<({_NAME})((?>[^<>"']++|"[^"]*+"|'[^']*+')*+)>""")
_SLOPPY_START = re.compile(rf"<({_NAME})([^<>]*+)>")  # a quote without its end
_END = re.compile(rf"</({_NAME})[^<>]*+>")
_ATTRIBUTE = re.compile(rf"""(?<![\w.:-])({_NAME})\s*+=\s*+(?>"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")


@dataclass(slots=True)
class Element:
    """An element whose `name` has our prefix of its namespace (`dc_creator`); feeds' own namespaces have none."""

    name: str
    tag: str = ""  # the name as written
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    is_closed: bool = False  # by its own end tag, not by the end of an outer element

    @property
    def elements(self) -> Iterator[Element]:
        """Yield the child elements."""
        return (child for child in self.children if isinstance(child, Element))

    @property
    def has_elements(self) -> bool:
        """Return whether there is a child element."""
        return any(isinstance(child, Element) for child in self.children)

    @property
    def is_empty(self) -> bool:
        """Return whether there is neither text nor a child element."""
        return not any(isinstance(child, Element) or child.strip() for child in self.children)

    def below(self) -> Iterator[Element]:
        """Yield all descendants, in document order."""
        waiting = list(self.elements)[::-1]
        while waiting:
            yield (element := waiting.pop())
            waiting += list(element.elements)[::-1]

    def text(self) -> str:
        """Return all text inside, without tags."""
        if not self.has_elements:
            return "".join(child for child in self.children if isinstance(child, str)).strip()
        return "".join(part for part in self._parts() if isinstance(part, str)).strip()

    def markup(self) -> str:
        """Return the content as markup: text unescaped once, tags without their attributes."""
        if not self.has_elements:
            return self.text()
        parts = (html.escape(part, quote=False) if isinstance(part, str) else part[0] for part in self._parts())
        return "".join(parts).strip()

    def _parts(self) -> Iterator[str | tuple[str]]:
        """Yield the parts in document order: a text as a string, a tag as a tuple of one string."""
        waiting: list[Element | str | tuple[str]] = list(reversed(self.children))
        while waiting:
            part = waiting.pop()
            if isinstance(part, Element):
                yield (f"<{part.tag}>",)
                if part.is_closed and part.children:
                    waiting.append((f"</{part.tag}>",))
                waiting += reversed(part.children)
            else:
                yield part


def read_xml(
    text: str, *, prefixes: Mapping[str, str], alone: frozenset[str] = frozenset(), start: int = 0
) -> Element:
    """Return the first element of a text, from `start` on.

    Args:
        text: the document; what comes after its root element is ignored.
        prefixes: the prefix of names, by namespace in lower case; empty for names without a prefix.
        alone: names of elements that are never nested in each other: the next start tag closes the open element.
        start: the index where to begin.

    Raises:
            ValueError: there is no element, or there are far too many.
    """
    builder = _Builder(prefixes, alone)
    at, end = start, len(text)
    while at < end and not builder.is_done:
        opening = text.find("<", at)
        if opening < 0:
            opening = end
        if opening > at:
            builder.characters(unescaped(text[at:opening]))
        at = builder.markup_at(text, opening) if opening < end else end
    return builder.root()


class _Builder:
    """Builds the tree of a document, part by part."""

    def __init__(self, prefixes: Mapping[str, str], alone: frozenset[str]) -> None:
        self._prefixes = prefixes
        self._alone = alone
        self._root: Element | None = None
        self._open: list[tuple[Element, dict[str, str]]] = []  # with the namespaces by prefix
        self._tags: Counter[str] = Counter()  # how many elements of a name are open
        self._count = 0

    @property
    def is_done(self) -> bool:
        """Return whether the root element has been closed."""
        return self._root is not None and not self._open

    def root(self) -> Element:
        """Return the root element, closed or not."""
        if self._root is None:
            raise ValueError("no element in it")
        return self._root

    def characters(self, text: str) -> None:
        """Add text."""
        if self._open:
            self._open[-1][0].children.append(text)

    def markup_at(self, text: str, at: int) -> int:
        """Add the markup that begins with `<` at an index, and return the index of its end."""
        if text.startswith("<!--", at):
            return _after(text, "-->", at + 4)
        if text.startswith("<![CDATA[", at):
            end = text.find("]]>", at)
            self.characters(text[at + 9 : end if end >= 0 else len(text)])
            return end + 3 if end >= 0 else len(text)
        if text.startswith(("<?", "<!"), at):
            return _after_declaration(text, at)
        if end_tag := _END.match(text, at):
            self._close(end_tag[1])
            return end_tag.end()
        if start_tag := _START.match(text, at) or _SLOPPY_START.match(text, at):
            self._start(start_tag[1], start_tag[2])
            return start_tag.end()
        self.characters("<")
        return at + 1

    def _start(self, tag: str, rest: str) -> None:
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise ValueError(f"more than {_MAX_ELEMENTS:,} elements")
        namespaces = self._open[-1][1] if self._open else {}
        attributes, declared = _attributes(rest)
        if declared and len(namespaces) < _MAX_NAMESPACES:
            namespaces = namespaces | declared
        element = Element(self._resolved(tag, namespaces), tag, attributes)
        if element.name in self._alone and self._tags[tag] and self._open[0][0].tag != tag:
            self._close(tag)
        if self._root is None:
            self._root = element
        else:
            self._open[-1][0].children.append(element)
        if rest.endswith("/"):
            element.is_closed = True
        elif len(self._open) < _MAX_DEPTH:
            self._open.append((element, namespaces))
            self._tags[tag] += 1

    def _close(self, tag: str) -> None:
        if not self._tags[tag]:
            return
        closed = ""
        while closed != tag:
            element, _ = self._open.pop()
            closed = element.tag
            element.is_closed = closed == tag
            self._tags[closed] -= 1

    def _resolved(self, tag: str, namespaces: Mapping[str, str]) -> str:
        prefix, _, local = tag.rpartition(":")
        prefix = self._prefixes.get(namespaces.get(prefix, ""), prefix).lower()
        return f"{prefix}_{local.lower()}" if prefix else local.lower()


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return found + len(mark) if found >= 0 else len(text)


def _after_declaration(text: str, at: int) -> int:
    """Return the index of the end of a declaration or instruction, with what it declares in brackets."""
    end = text.find(">", at)
    if text.find("[", at, end if end >= 0 else None) >= 0:
        end = text.find("]", end)
        end = text.find(">", end) if end >= 0 else end
    return end + 1 if end >= 0 else len(text)


def _attributes(rest: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return attributes by their local names in lower case, and declared namespaces by prefix."""
    attributes: dict[str, str] = {}
    declared: dict[str, str] = {}
    for number, match in enumerate(_ATTRIBUTE.finditer(rest)):
        if number == _MAX_ATTRIBUTES:
            break
        value = unescaped((match[2] or match[3] or match[4] or "")[:_MAX_VALUE])
        prefix, _, local = match[1].rpartition(":")
        if match[1] == "xmlns" or prefix == "xmlns":
            declared["" if match[1] == "xmlns" else local] = value.strip().lower()
        else:
            attributes.setdefault(f"xml:{local}" if prefix == "xml" else local.lower(), value)
    return attributes, declared

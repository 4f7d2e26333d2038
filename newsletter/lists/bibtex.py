"""Reads the papers of a BibTeX file, as reference managers export it: title, arXiv id, DOI and abstract.

https://tug.org/docs/pdf/tamethebeast.pdf tells the format. An entry ends where a line begins with the next one, at
the latest. So an unclosed brace spoils one entry alone, and reading takes time in proportion to the file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.core.examples import GivenPaper
from newsletter.core.identity import arxiv_id, doi, stated_arxiv_id

LARGEST = 8 * 1024 * 1024  # bytes of a file
_ENTRY = re.compile(r"^[ \t]*@[ \t]*(?P<kind>[A-Za-z]+)[ \t]*(?P<open>[{(])", re.MULTILINE)
_NO_PAPERS = frozenset({"comment", "preamble", "string"})
_FIELD = re.compile(r"[\s,]*(?P<name>[A-Za-z][\w:.+/-]{0,60})\s*=\s*")
_KEY = re.compile(r"[^,=]{0,300},")
_BARE = re.compile(r"[^\s,#{}()\"=]{1,200}")
_MARK = re.compile(r"\\.|[{}\"]", re.DOTALL)
_AND = re.compile(r"\s*#\s*")
_LONGEST_TITLE, _LONGEST_ABSTRACT = 500, 2000  # characters
# What TeX writes for letters with accents, and for a few others.
_ACCENT = re.compile(r"\\([`'^\"~=.uvHcrk])(?:\s*\{\s*\\?([A-Za-z])\s*\}|\s*\\?([A-Za-z])(?![A-Za-z]))")
_SIGN_ACCENT = re.compile(r"\\([`'^\"~=.])\s*\\?([A-Za-z])")
_MARKS = dict(
    zip(
        "`'^\"~=.uvHcrk",
        "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u030a\u0328",
        strict=True,
    )
)
_ESCAPED = re.compile(r"\\([&%$#_{}])")
_GROUPING = re.compile(r"[{}]")
_IN_ARXIV = re.compile(r"arxiv[:.\s]\s*([\w./-]{9,30})", re.IGNORECASE)
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class BibEntry:
    """An entry: where it begins (lines count from 1), its year (0 if it has none), and its paper."""

    line: int
    year: int
    paper: GivenPaper


class BibMistakeError(ValueError):
    """An entry that can't be read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_bibtex(text: str) -> Iterator[BibEntry]:
    """Yield the papers of a BibTeX file, in its order; what stands between entries is a comment.

    Raises:
        BibMistakeError: an entry is never closed, can't be read, or has neither a title nor an arXiv id.
    """
    found = list(_ENTRY.finditer(text))
    line, counted = 1, 0
    for number, entry in enumerate(found):
        begins = entry.start("kind")
        line, counted = line + text.count("\n", counted, begins), begins
        if entry["kind"].lower() in _NO_PAPERS:
            continue
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        try:
            fields = _fields(text[entry.end() : end], "}" if entry["open"] == "{" else ")")
        except ValueError as error:
            raise BibMistakeError(line, str(error)) from None
        paper = _paper(fields)
        if not (paper.title or paper.arxiv_id):
            raise BibMistakeError(line, "has neither a title nor an arXiv id: add one, or remove the entry")
        year = _YEAR.search(fields.get("year") or fields.get("date") or "")
        yield BibEntry(line, int(year[0]) if year else 0, paper)


def _fields(body: str, close: str) -> dict[str, str]:
    """Return the fields of an entry by their names in small letters; of two of a name, the first one.

    Args:
        body: of the entry, from after its opening bracket to before the next entry.
        close: what closes it.

    Raises:
        ValueError: it can't be read; says why.
    """
    key = _KEY.match(body)
    place = key.end() if key else 0
    fields: dict[str, str] = {}
    while found := _FIELD.match(body, place):
        value, place = _value(body, found.end(), found["name"])
        fields.setdefault(found["name"].lower(), value)
    rest = body[place:].lstrip(" \t\r\n,")
    if not rest:
        raise ValueError(f"is never closed: add {close!r} at its end")
    if not rest.startswith(close):
        raise ValueError(f"cannot be read from {rest[:30]!r} on: write `name = {{value}},`")
    return fields


def _value(body: str, place: int, name: str) -> tuple[str, int]:
    """Return a value, joined where `#` joins, and where it ends."""
    parts = []
    while True:
        opening = body[place : place + 1]
        if opening in {"{", '"'}:
            end = _end(body, place, name)
            parts.append(body[place + 1 : end])
            place = end + 1
        elif bare := _BARE.match(body, place):
            parts.append(bare[0])
            place = bare.end()
        else:
            raise ValueError(f"has no value for {name!r}: write `{name} = {{value}},`")
        joined = _AND.match(body, place)
        if not joined:
            return "".join(parts), place
        place = joined.end()


def _end(body: str, place: int, name: str) -> int:
    """Return where the value ends that begins with the brace or quote at `place`."""
    is_quoted, depth = body[place] == '"', 0
    for mark in _MARK.finditer(body, place + 1):
        if mark[0] == "{":
            depth += 1
        elif mark[0] == "}":
            if not depth and not is_quoted:
                return mark.start()
            depth -= 1
        elif mark[0] == '"' and is_quoted and depth <= 0:
            return mark.start()
    missing = "a quote" if is_quoted else "a brace"
    raise ValueError(f"has a value for {name!r} that never ends: {missing} is missing")


def _paper(fields: dict[str, str]) -> GivenPaper:
    of_arxiv = fields.get("archiveprefix", fields.get("eprinttype", "arxiv")).strip().lower() == "arxiv"
    identifier = arxiv_id(fields.get("eprint", "")) if of_arxiv else ""
    for name in ("doi", "url"):
        identifier = identifier or stated_arxiv_id(fields.get(name, ""))
    for name in ("journal", "note", "howpublished", "publisher"):
        if not identifier and (said := _IN_ARXIV.search(fields.get(name, "")[:500])):
            identifier = arxiv_id(said[1].rstrip(".,;"))
    return GivenPaper(
        arxiv_id=identifier,
        doi=doi(fields.get("doi", "")),
        title=_plain(fields.get("title", ""), _LONGEST_TITLE),
        abstract=_plain(fields.get("abstract", ""), _LONGEST_ABSTRACT),
    )


def _plain(value: str, longest: int) -> str:
    """Return a value as text in one line; mathematics stays as it is."""
    text = " ".join(value[: 4 * longest].split())
    if "\\" in text:
        text = _SIGN_ACCENT.sub(_accented, _ACCENT.sub(_accented, text))
        text = _ESCAPED.sub(r"\1", text) if "$" not in text.replace("\\$", "") else text
    if "$" not in text:
        text = _GROUPING.sub("", text)
    return text[:longest].strip()


def _accented(found: re.Match[str]) -> str:
    letter = next(filter(None, found.groups()[1:]))
    return unicodedata.normalize("NFC", letter + _MARKS[found[1]])

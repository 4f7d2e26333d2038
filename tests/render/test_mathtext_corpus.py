"""Recorded titles and abstracts, where there are any beside the checkout: none loses its text."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.render.issue.mathtext import readable
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.syndication import parse_feed
from tests.services import shared

_FIELDS = ("title", "summary", "ai_summary", "abstract")


def _texts_in(record: Any) -> Iterator[str]:
    """Walk a JSON answer for the values of the fields that hold titles and abstracts."""
    if isinstance(record, list):
        for item in record:
            yield from _texts_in(item)
    elif isinstance(record, dict):
        for name, value in record.items():
            if name in _FIELDS and isinstance(value, str):
                yield value
            else:
                yield from _texts_in(value)


@cache
def _recorded(responses: Path, listings: Path) -> frozenset[str]:
    texts: set[str] = set()
    for path in responses.rglob("*.json"):
        texts.update(_texts_in(json.loads(path.read_text())))
    for path in responses.rglob("*.xml"):
        if path.name.startswith("oai"):
            continue
        for entry in parse_feed(Document(content=path.read_bytes())).entries:
            texts.update(entry.get(name, "") for name in _FIELDS)
    for path in listings.glob("*.txt"):
        texts.update(path.read_text().splitlines())
    return frozenset(texts)


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def test_no_recorded_text_loses_more_than_a_tenth_of_its_letters() -> None:
    texts = _recorded(shared("responses"), shared("listings"))
    assert len(texts) > 1000
    assert {text: readable(text) for text in texts if _letters(readable(text)) < 0.9 * _letters(text)} == {}


def test_no_recorded_text_keeps_a_mark_of_latex() -> None:
    texts = _recorded(shared("responses"), shared("listings"))
    marks = ("\\", "mathcal", "mathbb", "textbf", "textit", "texttt", "^circ", "varepsilon", "rightarrow", "sim!")
    assert {read for read in map(readable, texts) if any(mark in read for mark in marks)} == set()


def test_a_recorded_text_that_was_read_is_read_as_the_same() -> None:
    reads = {readable(text) for text in _recorded(shared("responses"), shared("listings"))}
    assert {read for read in reads if readable(read) != read} == set()

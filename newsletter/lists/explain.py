"""Turns what pydantic finds wrong with a list file into mistakes that an operator understands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.core.errors import Mistake
from newsletter.lists.document import Document
from newsletter.lists.positions import KeyPath
from newsletter.lists.schema import (
    LayoutTable,
    ListTable,
    RankingTable,
    SubjectTable,
    SubscriberTable,
    ThemeTable,
    TopicTable,
)
from newsletter.lists.summaries import SummariesTable
from newsletter.lists.values import did_you_mean

# What to do about a value of the wrong type, by pydantic's name of the error.
_TYPES = {
    "int_type": "write a whole number, without quotes",
    "float_type": "write a number, without quotes",
    "list_type": "write a list in square brackets",
    "dict_type": "write it as a table: [{name}]",
    "model_type": "write it as a table: [{name}]",
}
_EXAMPLES = {
    "title": '"Daily Papers"',
    "sender": '"Daily Papers <papers@example.org>"',
    "sources": '["huggingface"]',
    "email": '"reader@example.org"',
}

_TABLES: dict[str, type[BaseModel]] = {
    "theme": ThemeTable,
    "ranking": RankingTable,
    "subject": SubjectTable,
    "layout": LayoutTable,
    "summaries": SummariesTable,
}


def mistakes_of(error: ValidationError, document: Document, table: KeyPath = ()) -> Iterator[Mistake]:
    """Yield a mistake for each finding; `table` is where in the document the validated table stands."""
    for detail in error.errors(include_url=False):
        path = (*table, *detail["loc"])
        yield document.mistake(path, _sentence(detail, path))


def _sentence(detail: ErrorDetails, path: KeyPath) -> str:
    *parents, key = path
    name = ".".join(step for step in path if isinstance(step, str) and step != "subscribers")
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(str(key), parents)
        case "missing":
            return f"missing key {key!r}: add {key} = {_EXAMPLES[str(key)]}"
        case _ if len(path) <= len(("subscribers", 0)) and path[0] == "subscribers":
            return "write each subscriber as a table of its own, below a line [[subscribers]]"
        case "value_error":
            return f"{name}: {detail['ctx']['error']}"
        case kind if kind in _TYPES:
            return f"{name}: {_TYPES[kind].format(name=name)}"
        case _:
            return f"{name}: {_plain(detail)}"


def _plain(detail: ErrorDetails) -> str:
    """Return pydantic's own words, which say what is allowed, with what was found."""
    said = detail["msg"].replace("Input should", "should")
    return f"{said}, not {detail['input']!r}"


def _unknown_key(key: str, parents: list[str | int]) -> str:
    known = _table_at(parents).model_fields
    if parents and key in ListTable.model_fields:
        return f"key {key!r} belongs to the list itself: move it up, above the first line in [brackets]"
    return f"unknown key {key!r}{did_you_mean(key, known)}"


def _table_at(parents: list[Any]) -> type[BaseModel]:
    match parents:
        case ["topics", *_]:
            return TopicTable
        case ["subscribers", *_]:
            return SubscriberTable
        case [name]:
            return _TABLES.get(name, ListTable)
        case _:
            return ListTable

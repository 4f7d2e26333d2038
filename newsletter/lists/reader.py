"""Reads one list file, and finds every mistake in it. Its members are left to `newsletter.lists.roster`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from newsletter.core.address import address_key
from newsletter.core.errors import ListFileError, Mistake
from newsletter.core.newsletter_list import WEEKDAYS, NewsletterList
from newsletter.core.subscriber import Member
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import Document
from newsletter.lists.examples import ExampleFiles
from newsletter.lists.explain import mistakes_of
from newsletter.lists.placeholders import placeholders
from newsletter.lists.roster import TWICE, FileRoster, ListFileText
from newsletter.lists.schema import ListTable, SubscriberTable
from newsletter.lists.tables import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What a list file says, as far as it is right: without mistakes, `list` is there.

    `roster` is None if the file is no TOML at all. `members` is the path of the members file as the file names it.
    `placeholders` are examples that the scaffold left; whether they are mistakes depends on where mail goes.
    `example_files` are the BibTeX files that the list's own members name, with their stamps before they were read.
    """

    list: NewsletterList | None = None
    roster: FileRoster | None = None
    members: Path | None = None
    example_files: Mapping[Path, str] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    placeholders: tuple[Mistake, ...] = ()


def read_list_file(
    path: Path, check_source: Callable[[str], str], secrets: Mapping[str, str] = MappingProxyType({})
) -> ReadFile:
    """Return what a file says of its list, and what is wrong with it.

    Args:
        path: the file; its name without `.toml` is the list's name.
        check_source: returns what is wrong with a source as a sentence, or "".
        secrets: those of the settings that it may name for its channels.
    """
    try:
        document = Document(path)
    except ListFileError as error:
        return ReadFile(mistakes=error.mistakes)
    return _ListReader(document, check_source, secrets).read()


def _days_in(data: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the days on which a list comes out, as far as its file is right."""
    if "days" not in data:
        return tuple(ListTable.model_fields["days"].default)
    named = data["days"] if isinstance(data["days"], list) else ()
    return tuple(WEEKDAYS.index(day) for day in named if day in WEEKDAYS)


class _ListReader:
    """Goes on after a mistake wherever it can, on the raw data if need be."""

    def __init__(self, document: Document, check_source: Callable[[str], str], secrets: Mapping[str, str]) -> None:
        self._document = document
        self._name = document.path.stem
        topics = document.data.get("topics")
        known = frozenset(topics) if isinstance(topics, dict) else ()
        examples = ExampleFiles(document.path.parent)
        self._context = Context(check_source, known, Addresses(), examples, _days_in(document.data), secrets)
        self._mistakes: list[Mistake] = []
        self._members: list[Member] = []
        self._named: dict[str, int] = {}  # the position of each address in the list file

    def read(self) -> ReadFile:
        path = self._document.path
        table = self._list()
        self._read_members()
        members = self._document.data.get("members")
        text = ListFileText(
            path=path,
            own=tuple(self._members),
            named=self._named,
            topics=self._context.topics,
            days=self._context.days,
            members=members if isinstance(members, str) else None,
        )
        try:
            text.members_path()
        except ListFileError as error:
            self._mistakes.extend(error.mistakes)
        return ReadFile(
            list=table.to_list(self._name, str(path.parent)) if table else None,
            roster=FileRoster(text),
            members=None if text.members is None else path.parent / text.members,
            example_files=self._context.examples.stamps,
            mistakes=tuple(self._mistakes),
            placeholders=tuple(starmap(self._document.mistake, placeholders(self._document.data))),
        )

    def _list(self) -> ListTable | None:
        try:
            return ListTable.model_validate(self._document.data, context=self._context)
        except ValidationError as error:
            self._mistakes.extend(mistakes_of(error, self._document))
            return None

    def _read_members(self) -> None:
        """Read the members whom the list file names itself."""
        tables = self._document.data.get("subscribers")
        for index, table in enumerate(tables if isinstance(tables, list) else ()):
            if not isinstance(table, dict):
                continue  # the list's own table has said so
            self._check_first(table.get("email"), index)
            try:
                member = SubscriberTable.model_validate(table, context=self._context)
            except ValidationError as error:
                self._mistakes.extend(mistakes_of(error, self._document, ("subscribers", index)))
            else:
                self._members.append(member.to_member())

    def _check_first(self, email: Any, index: int) -> None:
        """Note a mistake if an earlier member of the list file has this address."""
        if not isinstance(email, str):
            return
        first = self._named.setdefault(address_key(email), index)
        if first != index:
            message = TWICE.format(email=email, where=f"line {self._line_of(first)}")
            self._mistakes.append(self._document.mistake(("subscribers", index, "email"), message))

    def _line_of(self, index: int) -> int:
        return self._document.line("subscribers", index, "email")

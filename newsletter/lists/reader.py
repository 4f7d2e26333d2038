"""Reads one list file with its members, and finds every mistake in both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from newsletter.core.address import address_key
from newsletter.core.errors import ListFileError, Mistake
from newsletter.core.subscriber import Subscriber
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import Document, shown
from newsletter.lists.explain import mistakes_of
from newsletter.lists.members import MembersFile, members_path
from newsletter.lists.schema import Context, ListTable, SubscriberTable
from newsletter.ports import ListFile

_TWICE = "{email} is on the list already, in {where}: remove one of the two"


def read_list_file(path: Path, check_source: Callable[[str], str], opening: Callable[[Path], object]) -> ListFile:
    """Return the list and the subscribers of a file.

    Args:
        path: the file; its name without `.toml` is the list's name.
        check_source: returns what is wrong with a source as a sentence, or "".
        opening: is called with the paths of the list file and of its members file, before each is read.

    Raises:
        ListFileError: with every mistake of the file and of its members file.
    """
    opening(path)
    return _ListReader(Document(path), check_source, opening).read()


class _ListReader:
    """Goes on after a mistake wherever it can, on the raw data if need be."""

    def __init__(
        self, document: Document, check_source: Callable[[str], str], opening: Callable[[Path], object]
    ) -> None:
        self._document = document
        self._opening = opening
        self._name = document.path.stem
        topics = document.data.get("topics")
        self._context = Context(check_source, frozenset(topics) if isinstance(topics, dict) else (), Addresses())
        self._mistakes: list[Mistake] = []
        self._subscribers: list[Subscriber] = []
        self._named: dict[str, int] = {}  # the position of each address in the list file

    def read(self) -> ListFile:
        table = self._list()
        self._named_subscribers()
        self._members()
        if self._mistakes or table is None:
            raise ListFileError(tuple(self._mistakes))
        list_ = table.to_list(self._name, str(self._document.path.parent))
        return ListFile(list=list_, subscribers=tuple(self._subscribers))

    def _list(self) -> ListTable | None:
        try:
            return ListTable.model_validate(self._document.data, context=self._context)
        except ValidationError as error:
            self._mistakes.extend(mistakes_of(error, self._document))
            return None

    def _named_subscribers(self) -> None:
        """Read the subscribers that the list file itself names."""
        tables = self._document.data.get("subscribers")
        for index, table in enumerate(tables if isinstance(tables, list) else ()):
            if not isinstance(table, dict):
                continue  # the list's own table has said so
            self._check_first(table.get("email"), index)
            try:
                subscriber = SubscriberTable.model_validate(table, context=self._context)
            except ValidationError as error:
                self._mistakes.extend(mistakes_of(error, self._document, ("subscribers", index)))
            else:
                self._subscribers.append(subscriber.to_subscriber(self._name))

    def _check_first(self, email: Any, index: int) -> None:
        """Note a mistake if an earlier subscriber of the list file has this address."""
        if not isinstance(email, str):
            return
        first = self._named.setdefault(address_key(email), index)
        if first != index:
            message = _TWICE.format(email=email, where=f"line {self._line_of(first)}")
            self._mistakes.append(self._document.mistake(("subscribers", index, "email"), message))

    def _line_of(self, index: int) -> int:
        return self._document.line("subscribers", index, "email")

    def _members(self) -> None:
        """Read the subscribers of the members file, if there is one."""
        name = self._document.data.get("members")
        if not isinstance(name, str):
            return
        self._opening(self._document.path.parent / name)
        try:
            path = members_path(self._document.path.parent, name)
        except ValueError as error:
            self._mistakes.append(self._document.mistake(("members",), f"members: {error}"))
            return
        members = MembersFile(path, self._name, self._context.topics, self._context.addresses)
        try:
            self._check_and_add(members)
        except ListFileError as error:
            self._mistakes.extend(error.mistakes)
        self._mistakes.extend(members.mistakes)

    def _check_and_add(self, members: MembersFile) -> None:
        lines: dict[str, int] = {}
        for line, subscriber in members.read():
            key = subscriber.address_key
            if key in self._named:
                where = f"{shown(self._document.path)}:{self._line_of(self._named[key])}"
            elif key in lines:
                where = f"line {lines[key]}"
            else:
                lines[key] = line
                self._subscribers.append(subscriber)
                continue
            members.note(line, _TWICE.format(email=subscriber.email, where=where))

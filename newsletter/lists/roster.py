"""Whom a list file and its members file name: the adapter of `ports.Roster`."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from typing_extensions import override

from newsletter.core.address import address_key
from newsletter.core.errors import FileChangedError, ListFileError, Mistake
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member
from newsletter.lists.document import Document, shown
from newsletter.lists.examples import ExampleFiles, files_seen, written_seen
from newsletter.lists.lines import Lines, digest_of
from newsletter.lists.members import MembersFile, Repeats, TooManyMistakesError, addresses_in, members_path
from newsletter.lists.stamps import is_at_rest, is_of_size, settled, stamp_of
from newsletter.ports import Checked, Reading, Roster, SeenFiles

TWICE = "{email} is on the list already, in {where}: remove one of the two"

# Part of each definition: a version that reads members otherwise counts up, so that all are read again.
_READER = 1

_TRIES = 3  # to read a file that is being written to


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFileText:
    """What a list file says of its members.

    `own` are those whom it names itself, and `named` where, by address: the places of their tables. `members` is
    the name of the members file, if there is one; `topics` are those that members may choose, `days` those on
    which the list comes out.
    """

    path: Path
    own: Sequence[Member]
    named: Mapping[str, int]
    topics: Collection[str]
    days: Collection[int]
    members: str | None

    @property
    def definition(self) -> str:
        """Return a digest of all that decides about the members, but for the members file itself."""
        said = (
            _READER,
            self.members,
            sorted(self.topics),
            sorted(self.days),
            [tuple(member) for member in self.own],
        )
        return blake2b(repr(said).encode(), digest_size=16).hexdigest()

    def members_path(self) -> Path | None:
        """Return the path of the members file; None if the list has none.

        Raises:
            ListFileError: it is not there, or lies outside of the folder.
        """
        if self.members is None:
            return None
        try:
            return members_path(self.path.parent, self.members)
        except ValueError as error:
            raise ListFileError((Document(self.path).mistake(("members",), f"members: {error}"),)) from None

    def place_of(self, address_key: str) -> str:
        """Return file and line at which the list file names an address."""
        line = Document(self.path).line("subscribers", self.named[address_key], "email")
        return f"{shown(self.path)}:{line}"


@dataclass(slots=True)
class _Known:
    """The outcome of a check, and the files that it is of."""

    outcome: Checked | tuple[Mistake, ...]
    seen: SeenFiles

    def result(self) -> Checked:
        """Return what is known of the files, or raise their mistakes."""
        if isinstance(self.outcome, Checked):
            return self.outcome
        raise ListFileError(self.outcome)


@dataclass(slots=True)
class FileRoster(Roster):
    """Reads the members when asked; what it holds are those whom the list file names itself."""

    text: ListFileText
    _definition: str = field(init=False)
    _known: _Known | None = field(init=False, default=None)
    # The stamp of each file when it was hashed last, and its digest.
    _hashed: dict[Path, tuple[str, str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._definition = self.text.definition

    @property
    @override
    def place(self) -> str:
        return shown(self._path or self.text.path)

    @override
    def reading(self) -> MembersReading:
        return MembersReading(self.text, self._definition)

    @override
    def as_seen(self, seen: SeenFiles) -> SeenFiles | None:
        if seen.definition != self._definition:
            return None
        stamp = "" if self._path is None else self._stamp_if_same(self._path, seen.stamp, seen.digest)
        examples = self._examples_if_same(seen.examples)
        return None if stamp is None or examples is None else replace(seen, stamp=stamp, examples=examples)

    @override
    def is_at_rest(self) -> bool:
        paths = [self.text.path] if self._path is None else [self.text.path, self._path]
        return all(is_at_rest(stamp_of(path)) for path in paths)

    @override
    def check(self) -> Checked:
        if self._known is not None:
            seen = self.as_seen(self._known.seen)
            if seen is not None:
                self._known.seen = seen
                return self._known.result()
        for _ in range(_TRIES - 1):
            with suppress(FileChangedError):
                return self._checked()
        return self._checked()

    @override
    def named(self, keys: Container[str]) -> Iterator[str]:
        for member in self.text.own:
            if member.address_key in keys:
                yield member.email
        if self._path is not None:
            for email in addresses_in(Lines(self._path)):
                if address_key(email) in keys:
                    yield email

    @property
    def _path(self) -> Path | None:
        """Return the path of the members file, whether it is there or not; None if the list has none."""
        return None if self.text.members is None else self.text.path.parent / self.text.members

    def _examples_if_same(self, seen: str) -> str | None:
        """Return what was seen of BibTeX files, with the present stamps; None if one has changed."""
        present: dict[str, tuple[str, str]] = {}
        for name, (stamp, digest) in files_seen(seen).items():
            now = self._stamp_if_same(self.text.path.parent / name, stamp, digest)
            if now is None:
                return None
            present[name] = now, digest
        return written_seen(present)

    def _stamp_if_same(self, path: Path, stamp: str, digest: str) -> str | None:
        """Return the present stamp of a file, if its content is that of a digest; else None.

        Args:
            path: of the file.
            stamp: that of the file when it had the digest. Here as there, "" is one that can't be trusted.
            digest: of the content.
        """
        present = stamp_of(path)
        if stamp and present == stamp:
            return stamp
        if not present or (stamp and not is_of_size(present, stamp)):
            return None
        trusted = settled(present)  # before the content is read
        return trusted if self._digest(path, present, trusted) == digest else None

    def _digest(self, path: Path, stamp: str, trusted: str) -> str:
        """Return the digest of a file that has a stamp; "" if it cannot be read, or is being written to."""
        hashed = self._hashed.get(path, ("", ""))
        if hashed[0] == stamp:  # what was touched isn't hashed at each look
            return hashed[1]
        try:
            digest = digest_of(path)
        except OSError:
            return ""
        if stamp_of(path) != stamp:
            return ""
        if trusted:
            self._hashed[path] = (stamp, digest)
        return digest

    def _checked(self) -> Checked:
        """Read the files, and keep what was found unless they changed meanwhile."""
        stamp = stamp_of(self._path) if self._path else ""
        trusted, reading = settled(stamp), self.reading()
        cadences: set[Cadence] = set()
        try:
            for member in reading:
                if member.cadence is not None:
                    cadences.add(member.cadence)
        except FileChangedError:
            raise
        except ListFileError as error:
            digest = self._digest(self._path, stamp, trusted) if self._path else ""
            seen = SeenFiles(
                definition=self._definition, stamp=trusted, digest=digest, members=0, examples=reading.examples
            )
            self._known = _Known(error.mistakes, seen)
            raise
        outcome = Checked(members=reading.seen.members, cadences=frozenset(cadences))
        self._known = _Known(outcome, reading.seen)
        return outcome


class MembersReading(Reading):
    """One reading of the members of a list; see `ports.Reading`."""

    seen: SeenFiles

    def __init__(self, text: ListFileText, definition: str) -> None:
        self._text = text
        self._definition = definition
        self._examples = ExampleFiles(text.path.parent)

    @property
    def examples(self) -> str:
        """Return what was seen of the BibTeX files that were read so far."""
        return self._examples.seen

    @override
    def __iter__(self) -> Iterator[Member]:
        yield from self._text.own
        count, trusted, digest = len(self._text.own), "", ""
        path = self._text.members_path()
        if path is not None:
            stamp, lines = stamp_of(path), Lines(path)
            trusted = settled(stamp)  # before the content is read
            for member in self._members(path, lines, stamp):
                count += 1
                yield member
            if stamp_of(path) != stamp:
                raise _changed(path)
            digest = lines.digest.hexdigest()
        self.seen = SeenFiles(
            definition=self._definition, stamp=trusted, digest=digest, members=count, examples=self.examples
        )

    def _members(self, path: Path, lines: Lines, stamp: str) -> Iterator[Member]:
        """Yield the members of the members file up to the first mistake; raise all of its mistakes at the end."""
        file, repeats, named = self._members_file(path), Repeats(), self._text.named
        unreadable: tuple[Mistake, ...] = ()
        try:
            for line, member in file.read(lines):
                key = member.address_key
                if key in named:
                    file.note(line, TWICE.format(email=member.email, where=self._text.place_of(key)))
                repeats.add(key)
                if not file.mistakes:
                    yield member
            self._name_repeats(path, file, repeats.found())
        except TooManyMistakesError:
            pass
        except ListFileError as error:
            unreadable = error.mistakes
        if unreadable or file.mistakes:
            if stamp_of(path) != stamp:
                raise _changed(path)
            raise ListFileError((*file.mistakes, *unreadable))

    def _members_file(self, path: Path) -> MembersFile:
        return MembersFile(path, self._text.topics, self._text.days, self._examples)

    def _name_repeats(self, path: Path, file: MembersFile, hashes: Collection[int]) -> None:
        """Note each address that comes a second time, among those whose hashes do."""
        if not hashes:
            return
        lines: dict[str, int] = {}
        for line, member in self._members_file(path).read(Lines(path)):
            key = member.address_key
            if hash(key) in hashes and key not in self._text.named and lines.setdefault(key, line) != line:
                file.note(line, TWICE.format(email=member.email, where=f"line {lines[key]}"))


def _changed(path: Path) -> FileChangedError:
    message = "was written to while it was read: run again when it is complete"
    return FileChangedError((Mistake(shown(path), 1, message),))

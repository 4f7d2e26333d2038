"""All list files of a folder: the adapter of `ports.Lists`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from typing_extensions import override

from newsletter.core.errors import ConfigurationError, ListFileError, Mistake
from newsletter.core.machine_summary import SummaryMode
from newsletter.core.page_names import RESERVED
from newsletter.lists.document import Document, shown
from newsletter.lists.positions import KeyPath
from newsletter.lists.reader import ReadFile, read_list_file
from newsletter.lists.stamps import stamp_of
from newsletter.ports import Checked, ListFile, Lists, LoadedLists
from newsletter.render.issue.catalogues import language_for, languages

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.toml")
_NAME_MISTAKE = "name the file in small letters, digits, - and _, and end it in .toml; it is the name of the list"

_WHERE_TO_BEGIN = (
    "work in the folder that has them (`newsletter --dir DIR …`), begin one with `newsletter init`, or set "
    "NEWSLETTER_PATHS__SUBSCRIBERS"
)
_NO_MODEL = (
    "[summaries] asks for summaries, and no model is set, so its papers have none: set NEWSLETTER_SUMMARIES__URL "
    'and NEWSLETTER_SUMMARIES__MODEL, or write mode = "off"'
)


# What shows whether a list file has changed: when it was written (ns), size, number. None: there is no such file.
_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Read:
    """What a list file held when it had this stamp, and whether its members file was there."""

    stamp: _Stamp
    had_members: bool
    file: ReadFile


class ListFiles(Lists):
    """The list files of a folder. A file that has not changed since it was read is not read again."""

    def __init__(
        self,
        folder: Path,
        *,
        check_source: Callable[[str], str],
        warning_of: Callable[[str, Path], str] = lambda _source, _folder: "",
        allow_placeholders: bool = True,
        secrets: Mapping[str, str] = MappingProxyType({}),
        has_model: bool = True,
    ) -> None:
        """Read nothing yet.

        Args:
            folder: where the files stand.
            check_source: returns what is wrong with a source (such as `feed:https://…`) as a sentence, or "".
            warning_of: returns what is unlikely to be meant about a source in a list file of a folder, or "".
            allow_placeholders: what `newsletter init` left is no mistake, as no mail leaves this machine.
            secrets: those of the settings that list files may name for their channels.
            has_model: whether the settings name a model that writes summaries.
        """
        self.folder = folder
        self._check_source = check_source
        self._warning_of = warning_of
        self._allow_placeholders = allow_placeholders
        self._secrets = secrets
        self._has_model = has_model
        self._known: dict[Path, _Read] = {}

    @override
    def read(self) -> LoadedLists:
        """Return every list by its name, which is the file's name without `.toml`, and what is wrong with others.

        Files whose names begin with a dot belong to editors and are no list files.

        Raises:
            ConfigurationError: the folder is not there.
        """
        right: dict[str, ListFile] = {}
        wrong: dict[str, ListFileError] = {}
        for path, file in self._files().items():
            mistakes = (*_mistakes_in_name(path), *self._mistakes_in(file))
            if mistakes:
                wrong[path.stem] = _error_of(mistakes)
            elif file.list is not None and file.roster is not None:
                right[path.stem] = ListFile(list=file.list, roster=file.roster)
        return LoadedLists(right=right, wrong=wrong)

    @override
    def load(self) -> Mapping[str, ListFile]:
        """Return every list by its name.

        Raises:
            ListFileError: with all mistakes of all files but members files, by file and line.
            ConfigurationError: the folder is not there.
        """
        lists = self.read()
        if lists.wrong:
            raise _error_of(mistake for error in lists.wrong.values() for mistake in error.mistakes)
        return lists.right

    def check(self) -> Mapping[str, Checked]:
        """Read all list files and their members, and return what is known of each list.

        Raises:
            ListFileError: with all mistakes of all files, by file and line; of a members file at most 1,000.
            ConfigurationError: the folder is not there.
        """
        checked: dict[str, Checked] = {}
        mistakes: list[Mistake] = []
        for path, file in self._files().items():
            mistakes += (*_mistakes_in_name(path), *self._mistakes_in(file))
            try:
                if file.roster is not None:
                    checked[path.stem] = file.roster.check()
            except ListFileError as error:
                mistakes += error.mistakes
        if mistakes:
            raise _error_of(mistakes)
        return checked

    def warnings(self, checked: Mapping[str, Checked]) -> Iterator[str]:
        """Yield, for each list that was checked, what is no mistake and yet unlikely to be meant."""
        for known in self._known.values():
            yield from map(str, known.file.placeholders)
        for name, file in self.load().items():
            for key, warning in self._warnings_of(file, checked.get(name)):
                yield _at_its_line(self.folder / f"{name}.toml", key, warning)

    def _warnings_of(self, file: ListFile, checked: Checked | None) -> Iterator[tuple[KeyPath, str]]:
        """Yield the key that a warning is about, and the warning."""
        language = file.list.masthead.language
        if checked is not None and not checked.members:
            yield (), "names no subscriber: there is no issue until somebody is on the list"
        if language_for(language) is None:
            yield ("language",), _no_words(language)
        if not self._has_model and file.list.summaries.mode is not SummaryMode.OFF:
            yield ("summaries",), _NO_MODEL
        for index, spec in enumerate(file.list.sources):
            if warning := self._warning_of(spec, Path(file.list.folder)):
                yield ("sources", index), f"source {spec!r}: {warning}"

    def _files(self) -> Mapping[Path, ReadFile]:
        self._known = {path: self._current(path) for path in self._paths()}
        return {path: known.file for path, known in self._known.items()}

    def _mistakes_in(self, file: ReadFile) -> tuple[Mistake, ...]:
        return file.mistakes if self._allow_placeholders else (*file.mistakes, *file.placeholders)

    def _current(self, path: Path) -> _Read:
        known, stamp = self._known.get(path), _stamp(path)  # before it is read: what is written later is a change
        if known is not None and known.stamp == stamp and _is_as_it_was(known):
            return known
        file = read_list_file(path, self._check_source, self._secrets)
        return _Read(stamp, _is_there(file.members), file)

    def is_empty(self) -> bool:
        """Return whether there is no list file, not even a wrong one.

        Raises:
            ConfigurationError: the folder is not there, or cannot be read; names it.
        """
        return not self._paths()

    def _paths(self) -> list[Path]:
        try:
            paths = sorted(self.folder.iterdir())
        except OSError as error:
            folder = self.folder.absolute()
            raise ConfigurationError(f"{folder}: no list files: {error.strerror}; {_WHERE_TO_BEGIN}") from None
        return [path for path in paths if path.suffix.lower() == ".toml" and not path.name.startswith(".")]


def _at_its_line(path: Path, key: KeyPath, warning: str) -> str:
    """Return a warning with file and line; the lines are found only now, as most files give no warning."""
    try:
        return str(Document(path).mistake(key, warning))
    except ListFileError:  # it was changed since it was read
        return str(Mistake(shown(path), 1, warning))


def _no_words(language: str) -> str:
    known = ", ".join(languages())
    return f"language {language!r}: the words of mails and pages stay English; they are known in {known}"


def _error_of(mistakes: Iterable[Mistake]) -> ListFileError:
    return ListFileError(tuple(sorted(set(mistakes))))


def _is_as_it_was(known: _Read) -> bool:
    """Return whether what a list file names beside itself is as it was when the file was read."""
    files = known.file.example_files
    return known.had_members == _is_there(known.file.members) and all(
        stamp_of(path) == files[path] for path in files
    )


def _is_there(path: Path | None) -> bool:
    return path is not None and _stamp(path) is not None


def _mistakes_in_name(path: Path) -> tuple[Mistake, ...]:
    mistakes = []
    if not _NAME.fullmatch(path.name):
        mistakes.append(Mistake(shown(path), 1, _NAME_MISTAKE))
    if path.stem in RESERVED:
        mistakes.append(Mistake(shown(path), 1, f"a web page is called {path.stem}: name the list otherwise"))
    return tuple(mistakes)


def _stamp(path: Path) -> _Stamp:
    try:
        known = path.stat()
    except (OSError, ValueError):
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino

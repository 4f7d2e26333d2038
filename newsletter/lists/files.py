"""All list files of a folder: the adapter of `ports.Lists`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.core.errors import ConfigurationError, ListFileError, Mistake
from newsletter.core.page_names import RESERVED
from newsletter.lists.document import shown
from newsletter.lists.reader import read_list_file
from newsletter.ports import ListFile, Lists, LoadedLists

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.toml")
_NAME_MISTAKE = "name the file in small letters, digits, - and _, and end it in .toml; it is the name of the list"

_WHERE_TO_BEGIN = (
    "work in the folder that has them (`newsletter --dir DIR …`), begin one with `newsletter init`, or set "
    "NEWSLETTER_PATHS__SUBSCRIBERS"
)


# What shows whether a file has changed: when it was written (ns), size, number. None: there is no such file.
_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Read:
    """What a list file held when the files it is read from had these stamps."""

    stamps: Mapping[Path, _Stamp]
    outcome: ListFile | ListFileError


class ListFiles(Lists):
    """The list files of a folder. A file that has not changed since it was read is not read again."""

    def __init__(
        self,
        folder: Path,
        *,
        check_source: Callable[[str], str],
        finds_nothing: Callable[[str, Path], str] = lambda _spec, _folder: "",
    ) -> None:
        """Read nothing yet.

        Args:
            folder: where the files stand.
            check_source: returns what is wrong with a source (such as `feed:https://…`) as a sentence, or "".
            finds_nothing: returns the path of a source in a folder that no file matches, or "".
        """
        self.folder = folder
        self._check_source = check_source
        self._finds_nothing = finds_nothing
        self._known: dict[Path, _Read] = {}

    def read(self) -> LoadedLists:
        """Return every list by its name, which is the file's name without `.toml`, and what is wrong with others.

        Files whose names begin with a dot belong to editors and are no list files.

        Raises:
            ConfigurationError: the folder is not there.
        """
        right: dict[str, ListFile] = {}
        wrong: dict[str, ListFileError] = {}
        known: dict[Path, _Read] = {}
        for path in self._paths():
            known[path] = self._current(path)
            mistakes = _mistakes_in_name(path)
            match known[path].outcome:
                case ListFileError() as error:
                    mistakes += error.mistakes
                case ListFile() as file if not mistakes:
                    right[path.stem] = file
            if mistakes:
                wrong[path.stem] = ListFileError(tuple(sorted(set(mistakes))))
        self._known = known
        return LoadedLists(right=right, wrong=wrong)

    def load(self) -> Mapping[str, ListFile]:
        """Return every list by its name.

        Raises:
            ListFileError: with all mistakes of all files, by file and line.
            ConfigurationError: the folder is not there.
        """
        lists = self.read()
        if lists.wrong:
            mistakes = {mistake for error in lists.wrong.values() for mistake in error.mistakes}
            raise ListFileError(tuple(sorted(mistakes)))
        return lists.right

    def warnings(self, files: Mapping[str, ListFile]) -> Iterator[str]:
        """Yield, for each list file, what is no mistake and yet unlikely to be meant."""
        for name, file in files.items():
            path = self.folder / f"{name}.toml"
            if not file.subscribers:
                yield f"{path}: names no subscriber: there is no issue until somebody is on the list"
            for spec in file.list.sources:
                if nothing := self._finds_nothing(spec, Path(file.list.folder)):
                    yield f"{path}: source {spec!r}: no file matches {nothing}"

    def _current(self, path: Path) -> _Read:
        known = self._known.get(path)
        if known is not None and all(_stamp(one) == stamp for one, stamp in known.stamps.items()):
            return known
        stamps: dict[Path, _Stamp] = {}

        def opening(file: Path) -> None:
            stamps[file] = _stamp(file)  # before it is read, so that what is written meanwhile is a change

        try:
            outcome: ListFile | ListFileError = read_list_file(path, self._check_source, opening)
        except ListFileError as error:
            outcome = error
        return _Read(stamps, outcome)

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

"""All list files of a folder: the adapter behind `ports.Lists`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.core.errors import ConfigurationError, ListFileError, Mistake
from newsletter.core.page_names import RESERVED
from newsletter.lists.document import shown
from newsletter.lists.reader import read_list_file
from newsletter.ports import ListFile

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.toml")
_NAME_MISTAKE = "name the file in small letters, digits, - and _, and end it in .toml; it is the name of the list"

_WHERE_TO_BEGIN = (
    "work in the folder that has them (`newsletter --dir DIR …`), begin one with `newsletter init`, or set "
    "NEWSLETTER_PATHS__SUBSCRIBERS"
)


@dataclass(frozen=True, slots=True)
class ListFiles:
    """The list files of a folder.

    `check_source` returns what is wrong with a source (such as `feed:https://…`) as a sentence, or "".
    """

    folder: Path
    check_source: Callable[[str], str] = field(kw_only=True)

    def load(self) -> dict[str, ListFile]:
        """Return every list by its name, which is the file's name without `.toml`.

        Files whose names begin with a dot belong to editors and are no list files.

        Raises:
            ListFileError: with all mistakes of all files, by file and line.
            ConfigurationError: the folder is not there.
        """
        lists: dict[str, ListFile] = {}
        mistakes: list[Mistake] = []
        for path in self._paths():
            if not _NAME.fullmatch(path.name):
                mistakes.append(Mistake(shown(path), 1, _NAME_MISTAKE))
            if path.stem in RESERVED:
                mistakes.append(
                    Mistake(shown(path), 1, f"a web page is called {path.stem}: name the list otherwise")
                )
            try:
                lists[path.stem] = read_list_file(path, self.check_source)
            except ListFileError as error:
                mistakes.extend(error.mistakes)
        if mistakes:
            raise ListFileError(tuple(sorted(set(mistakes))))
        return lists

    def is_empty(self) -> bool:
        """Tell whether there is no list file, be it a wrong one.

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

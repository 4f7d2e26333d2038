"""Papers that the readers of a list give as examples, some of them in BibTeX files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from newsletter.core.examples import MOST_EXAMPLES, GivenPaper, read_example
from newsletter.core.text import CONTROLS
from newsletter.lists.bibtex import LARGEST, BibEntry, BibMistakeError, read_bibtex
from newsletter.lists.document import file_below, shown
from newsletter.lists.stamps import settled, stamp_of

_FILES_KEPT = 16  # whose papers are remembered while the members of a list are read


class ExampleFiles:
    """Reads examples, and notes which BibTeX files it looked at; for one reading of a list's files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._papers_in = lru_cache(_FILES_KEPT)(self._read_file)
        self.stamps: dict[Path, str] = {}  # of each file, before it was read; "": it was not there
        self._seen: dict[str, tuple[str, str]] = {}

    @property
    def seen(self) -> str:
        """Return which files were read and what they were, as JSON for `files_seen`."""
        return written_seen(self._seen)

    def read(self, texts: Iterable[str]) -> tuple[GivenPaper, ...]:
        """Return the papers that a reader names, each once.

        Args:
            texts: arXiv ids, links to arXiv, and names of BibTeX files in the folder or below. Of a file, the
                papers of the newest years are taken, until the reader has `MOST_EXAMPLES`.

        Raises:
            ValueError: one is none of these, a file can't be read, or there are too many; says what to change.
        """
        named: list[GivenPaper] = []
        in_files: list[BibEntry] = []
        for text in texts:
            if text.lower().endswith(".bib"):
                in_files += self._papers_in(text)
            else:
                named.append(read_example(text))
        if len(named) > MOST_EXAMPLES:
            raise ValueError(f"names {len(named)} papers: {MOST_EXAMPLES} are the most, keep those that tell most")
        newest = sorted(in_files, key=lambda entry: -entry.year)
        return tuple(dict.fromkeys((*named, *(entry.paper for entry in newest))))[:MOST_EXAMPLES]

    def _read_file(self, name: str) -> list[BibEntry]:
        """Return the entries of a BibTeX file, of which a reader can have no more than the newest.

        Raises:
            ValueError: it is not there, too large, no text in UTF-8, or an entry is wrong; with file and line.
        """
        path = self._folder / name
        if CONTROLS.search(name):
            raise ValueError(f"{name!r} is no file's name")
        stamp = self.stamps[path] = stamp_of(path)
        self._seen[name] = "", ""
        trusted = settled(stamp)  # before the content is read
        file_below(self._folder, name)
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise ValueError(f"{shown(path)} cannot be read: {error.strerror or error}") from None
        self._seen[name] = trusted, blake2b(content, digest_size=16).hexdigest()
        if len(content) > LARGEST:
            raise ValueError(
                f"{shown(path)} is larger than {LARGEST // 1024**2} MB: keep the papers that tell most"
            )
        try:
            entries = list(read_bibtex(content.decode("utf-8-sig")))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ValueError(f"{shown(path)}:{line} is not UTF-8 text: save it in that encoding") from None
        except BibMistakeError as error:
            raise ValueError(f"{shown(path)}:{error.line}: the entry {error}") from None
        return sorted(entries, key=lambda entry: -entry.year)[:MOST_EXAMPLES]


def written_seen(files: Mapping[str, tuple[str, str]]) -> str:
    """Return stamp and digest of each file, by name, as JSON."""
    return json.dumps(files, ensure_ascii=False, sort_keys=True)


def files_seen(seen: str) -> dict[str, tuple[str, str]]:
    """Return what `ExampleFiles.seen` says: stamp and digest of each file, by name."""
    return {name: (stamp, digest) for name, (stamp, digest) in json.loads(seen).items()}

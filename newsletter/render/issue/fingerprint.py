"""A hash of all that makes a page, except its values: the templates and the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from time import monotonic

from newsletter import __version__

_LOOK_AGAIN = 1.0  # seconds
# A checkout changes without a new version, so the modules that make pages are hashed too.
_PROGRAM = ("core", "render")


class Fingerprint:
    """A hash of folders of templates, and of the program as it was when this object was made."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Hash the program; templates are hashed in `value`, if they have changed."""
        self._program = _program()
        self._folders = folders
        self._seen: list[tuple[Path, int, int, int]] | None = None
        self._looked_at = 0.0
        self._value = ""

    def value(self, *, now: bool = False) -> str:
        """Return the hash; templates are checked for changes once a second, or at once if `now`."""
        if now or self._seen is None or monotonic() - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = monotonic()
            seen = [state for folder in self._folders for state in _states(folder)]
            if seen != self._seen:
                self._value = _digest([self._program.encode(), *_contents(seen)])
                self._seen = seen
        return self._value


@cache
def _program() -> str:
    root = Path(__file__).parents[2]
    files = (path for name in _PROGRAM for path in sorted((root / name).rglob("*")))
    sources = [path.read_bytes() for path in files if path.suffix in {".py", ".po"}]
    return _digest([__version__.encode(), *sources])


def _states(folder: Path) -> Iterator[tuple[Path, int, int, int]]:
    """Yield each file in a folder and its subfolders, with metadata that changes with its content."""
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # it was just removed
            status = path.stat()
            if S_ISREG(status.st_mode):
                yield path, status.st_mtime_ns, status.st_size, status.st_ino


def _contents(seen: Iterable[tuple[Path, int, int, int]]) -> Iterator[bytes]:
    for path, *_ in seen:
        with suppress(FileNotFoundError):
            yield str(path).encode("utf-8", "surrogateescape")
            yield path.read_bytes()


def _digest(parts: Iterable[bytes]) -> str:
    """Return the hash of parts and their lengths."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()

"""What pages are made by: the templates and the program, in one hash."""

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
# A checkout changes without its version, so what a page is made by is read, too.
_PROGRAM = ("core", "render")


class Fingerprint:
    """A hash of some folders of templates and of the program, as it was when this was made."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Read the program; templates are read when they are asked for, and have changed."""
        self._program = _program()
        self._folders = folders
        self._seen: list[tuple[Path, int, int, int]] | None = None
        self._looked_at = 0.0
        self._value = ""

    def value(self, *, now: bool = False) -> str:
        """Return the hash; whether templates have changed is looked at once a second, or `now`."""
        if now or self._seen is None or monotonic() - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = monotonic()
            seen = [one for folder in self._folders for one in _states(folder)]
            if seen != self._seen:
                self._value = _digest([self._program.encode(), *_contents(seen)])
                self._seen = seen
        return self._value


@cache
def _program() -> str:
    root = Path(__file__).parents[2]
    sources = [path.read_bytes() for name in _PROGRAM for path in sorted((root / name).rglob("*.py"))]
    return _digest([__version__.encode(), *sources])


def _states(folder: Path) -> Iterator[tuple[Path, int, int, int]]:
    """Yield each file below a folder with what changes when its content does."""
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # it has just been removed
            status = path.stat()
            if S_ISREG(status.st_mode):
                yield path, status.st_mtime_ns, status.st_size, status.st_ino


def _contents(seen: Iterable[tuple[Path, int, int, int]]) -> Iterator[bytes]:
    for path, *_ in seen:
        with suppress(FileNotFoundError):
            yield str(path).encode("utf-8", "surrogateescape")
            yield path.read_bytes()


def _digest(parts: Iterable[bytes]) -> str:
    """Hash parts, and where each ends."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()

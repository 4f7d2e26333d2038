"""The public pages as files, for any host of static files.

A manifest in the folder names all files that were written, with their hashes. So only what has changed is written
again, what is gone is removed, and files of others are left alone. Each file is noted in a journal before it is
written, so that whoever kills an export leaves nothing that the next one does not know.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from typing_extensions import override

from newsletter.core.errors import UsageError
from newsletter.core.page_names import STATIC
from newsletter.core.tokens import Links
from newsletter.ports.page_files import PageFiles
from newsletter.web.pages.site_pages import PageGroup, SitePage, Wanted
from newsletter.whole_files import write_whole

MANIFEST = ".newsletter-site.json"
JOURNAL = ".newsletter-site.journal"
_INDEX = "index.html"
_NO_JEKYLL = ".nojekyll"  # GitHub Pages leaves out what begins with `-` or `_` without it
_FILE_OF_PAGE = re.compile(rb"-/static/([A-Za-z0-9_.-]+)")
_FILE_OF_STYLE = re.compile(rb"url\(\s*[\"']?([A-Za-z0-9_.-]+)[\"']?\s*\)")
_STYLE = "text/css"


@dataclass(frozen=True)
class LinksOfExport(Links):
    """Links of pages that stand as files at one address, while readers sign up at another.

    `server` makes the links to what only a server has.
    """

    server: Links = field(kw_only=True)

    @override
    def sign_up(self, list_name: str) -> str:
        return self.server.sign_up(list_name)


@dataclass(slots=True, kw_only=True)
class Exported:
    """What an export did with files: it wrote new and changed ones, left others as they were, and removed some."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0


class SiteExport:
    """Writes a site into a folder.

    Args:
        groups: all public pages, in the order in which a server asks them.
        files: what they load.
        folder: where to.
        progress: is told how many pages are done, and how many there are.
    """

    def __init__(
        self,
        groups: Sequence[PageGroup],
        files: PageFiles,
        folder: Path,
        *,
        progress: Callable[[int, int], object] = lambda done, total: None,  # noqa: ARG005 (names say what they are)
    ) -> None:
        self._groups, self._files, self._folder = groups, files, folder
        self._progress = progress
        self._before = _read_known(folder)
        self._now: dict[str, str] = {}
        self._done = Exported()

    async def write(self) -> Exported:
        """Write what is new or has changed, and remove what is gone.

        Raises:
            UsageError: the folder can't be written, or has a file of somebody else where a page belongs.
            RenderError: a template is wrong.
        """
        loaded = set[str]()
        with self._journal() as journal:
            async for address, page in self._pages():
                loaded.update(name.decode() for name in _FILE_OF_PAGE.findall(page.content))
                await asyncio.to_thread(self._put, _file_of(address), page.content, journal)
            await asyncio.to_thread(self._put_files, loaded, journal)
        for gone in sorted(self._before.keys() - self._now.keys()):
            self._remove(gone)
        self._keep(self._now)
        return self._done

    @contextmanager
    def _journal(self) -> Iterator[BinaryIO]:
        """Give the journal, to be added to."""
        path = self._folder / JOURNAL
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            journal = path.open("ab", buffering=0)
        except OSError as error:
            raise _unwritable(path, error) from None
        with journal:
            yield journal

    async def _pages(self) -> AsyncIterator[tuple[str, SitePage]]:
        """Yield all pages with their addresses."""
        wanted = Wanted(is_static=True)
        known = [(group, address) for group in self._groups async for address in group.addresses()]
        for done, (group, address) in enumerate(known):
            self._progress(done, len(known))
            page = await group.page(address, wanted)
            if isinstance(page, SitePage):
                yield address, page

    def _put_files(self, loaded: set[str], journal: BinaryIO) -> None:
        """Write the files that pages load, and what the styles among them load."""
        waiting, seen = sorted(loaded), set[str]()
        while waiting:
            name = waiting.pop()
            file = None if name in seen else self._files.find(name)
            seen.add(name)
            if file is None:
                continue
            self._put(f"{STATIC}/{name}", file.content, journal)
            if file.media_type.startswith(_STYLE):
                waiting += [found.decode() for found in _FILE_OF_STYLE.findall(file.content)]
        self._put(_NO_JEKYLL, b"", journal)

    def _put(self, name: str, content: bytes, journal: BinaryIO) -> None:
        """Write a file, if it has changed.

        Raises:
            UsageError: it can't be written, or is somebody else's.
        """
        digest = _digest(content)
        path = self._folder / name
        try:
            there = path.read_bytes() if path.is_file() else None
            if there is not None and there != content and name not in self._before:
                raise UsageError(
                    f"{path}: is there already, and no export of this program wrote it; move it away, or export "
                    "to another folder"
                )
            if there == content:
                self._done.unchanged += 1
            else:
                journal.write(json.dumps([name, digest]).encode() + b"\n")
                write_whole(path, content)
                self._done.written += 1
        except OSError as error:
            raise _unwritable(path, error) from None
        self._now[name] = digest

    def _remove(self, name: str) -> None:
        """Remove a file that an earlier export wrote, unless somebody has changed it since, and empty folders."""
        path = self._folder / name
        if not path.is_file() or _digest(path.read_bytes()) not in self._before[name]:
            return
        path.unlink()
        self._done.removed += 1
        for folder in path.parents:
            if folder == self._folder or any(folder.iterdir()):
                break
            folder.rmdir()

    def _keep(self, files: dict[str, str]) -> None:
        text = json.dumps({"files": dict(sorted(files.items()))}, indent=0, ensure_ascii=False)
        try:
            write_whole(self._folder / MANIFEST, text.encode())
            (self._folder / JOURNAL).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self._folder / MANIFEST, error) from None


def _file_of(address: str) -> str:
    """Return the file of the page of an address."""
    return f"{address}{_INDEX}" if address.endswith("/") or not address else address


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: cannot be written: {error.strerror}")


def _read_known(folder: Path) -> dict[str, set[str]]:
    """Return what earlier exports wrote, each file with the hashes that it may have.

    Raises:
        UsageError: there is a manifest, and it can't be read.
    """
    path, known = folder / MANIFEST, dict[str, set[str]]()
    try:
        listed = list(json.loads(path.read_bytes())["files"].items()) if path.exists() else []
        lines = (folder / JOURNAL).read_bytes().split(b"\n")[:-1] if (folder / JOURNAL).exists() else []
        for name, digest in (*listed, *map(json.loads, lines)):
            if _is_inside(name):
                known.setdefault(name, set()).add(digest)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path}: is no list of exported files; remove it, or export to another folder") from None
    return known


def _is_inside(name: str) -> bool:
    """Return whether a file's name leads to nowhere outside of its folder, as those that are written never do."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts)

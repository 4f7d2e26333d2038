"""The public pages as files, for any host of static files.

A manifest in the folder names all files that were written, with their hashes. So only what has changed is written
again, what is gone is removed, and files of others are left alone.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from typing_extensions import override

from newsletter.core.errors import UsageError
from newsletter.core.page_names import STATIC
from newsletter.core.tokens import Links
from newsletter.ports.page_files import PageFiles
from newsletter.web.pages.site_pages import PageGroup, SitePage, Wanted
from newsletter.whole_files import write_whole

MANIFEST = ".newsletter-site.json"
_INDEX = "index.html"
_NO_JEKYLL = ".nojekyll"  # GitHub Pages leaves out what begins with `-` or `_` without it
_FILE_OF_PAGE = re.compile(rb"-/static/([A-Za-z0-9_.-]+)")


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
        self._before = _read_manifest(folder)
        self._now: dict[str, str] = {}
        self._done = Exported()

    async def write(self) -> Exported:
        """Write what is new or has changed, and remove what is gone.

        Raises:
            UsageError: the folder can't be written, or has a file of somebody else where a page belongs.
            RenderError: a template is wrong; what was written until then stays, and is known.
        """
        try:
            loaded = set[str]()
            async for address, page in self._pages():
                loaded.update(name.decode() for name in _FILE_OF_PAGE.findall(page.content))
                await asyncio.to_thread(self._put, _file_of(address), page.content)
            await asyncio.to_thread(self._put_files, loaded)
        except BaseException:
            self._keep({**self._before, **self._now})
            raise
        for gone in sorted(self._before.keys() - self._now.keys()):
            self._remove(gone)
        self._keep(self._now)
        return self._done

    async def _pages(self) -> AsyncIterator[tuple[str, SitePage]]:
        """Yield all pages with their addresses."""
        wanted = Wanted(is_static=True)
        known = [(group, address) for group in self._groups async for address in group.addresses()]
        for done, (group, address) in enumerate(known):
            self._progress(done, len(known))
            page = await group.page(address, wanted)
            if isinstance(page, SitePage):
                yield address, page

    def _put_files(self, loaded: set[str]) -> None:
        """Write the files that pages load, and those that a style may load."""
        wanted = loaded | {file.name for file in self._files.all()}
        for name in sorted(wanted):
            file = self._files.find(name)
            if file is not None:
                self._put(f"{STATIC}/{file.name}", file.content)
        self._put(_NO_JEKYLL, b"")

    def _put(self, name: str, content: bytes) -> None:
        """Write a file, if it has changed.

        Raises:
            UsageError: it can't be written, or is somebody else's.
        """
        digest = blake2b(content, digest_size=16).hexdigest()
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
                write_whole(path, content)
                self._done.written += 1
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
        self._now[name] = digest

    def _remove(self, name: str) -> None:
        """Remove a file that an earlier export wrote, unless somebody has changed it since, and empty folders."""
        path = self._folder / name
        if not path.is_file() or blake2b(path.read_bytes(), digest_size=16).hexdigest() != self._before[name]:
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
        except OSError as error:
            raise UsageError(f"{self._folder / MANIFEST}: cannot be written: {error.strerror}") from None


def _file_of(address: str) -> str:
    """Return the file of the page of an address."""
    return f"{address}{_INDEX}" if address.endswith("/") or not address else address


def _read_manifest(folder: Path) -> dict[str, str]:
    """Return what earlier exports wrote, with the hashes of it.

    Raises:
        UsageError: there is a manifest, and it can't be read.
    """
    path = folder / MANIFEST
    try:
        known = json.loads(path.read_bytes())["files"]
        return {name: digest for name, digest in known.items() if _is_inside(name)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path}: is no list of exported files; remove it, or export to another folder") from None


def _is_inside(name: str) -> bool:
    """Return whether a file's name leads to nowhere outside of its folder, as those that are written never do."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts)

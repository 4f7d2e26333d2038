"""Files that web pages load, from `web/` in the folders of templates: the operator's own first, file by file.

A name holds a hash of the content, so a browser may keep the file for ever. A list's own colours are such a file
too, which is made of its name alone: pages of an old issue find the colours that were frozen with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import structlog
from typing_extensions import override

from newsletter.ports.page_files import PageFile, PageFiles
from newsletter.render.issue.theme import Theme

log = structlog.get_logger(__name__)

FOLDER = "web"
# What is not listed here is served to nobody: templates stand in the same folder.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
_HASH_BYTES = 6
_STEM, _ENDING = r"(?P<stem>[a-zA-Z0-9][a-zA-Z0-9_-]{0,63})", r"(?P<ending>\.[a-z0-9]{2,5})"
_FILE = re.compile(_STEM + _ENDING, re.ASCII)
_NAME = re.compile(rf"{_STEM}-[0-9a-f]{{{2 * _HASH_BYTES}}}{_ENDING}", re.ASCII)
_COLOURS = re.compile(r"colours((?:-[0-9a-f]{6}){8})\.css", re.ASCII)
_LIGHT_AND_DARK = """:root {{
  --page: #{0}; --small: #{1}; --accent: #{2}; --on-accent: #{3};
}}
@media (prefers-color-scheme: dark) {{
  :root {{
    --page: #{4}; --small: #{5}; --accent: #{6}; --on-accent: #{7};
  }}
}}
"""


def colours_file(theme: Theme) -> str:
    """Return the name of the style with the colours of a theme; `TemplateFiles.find` makes it of the name."""
    light = theme.background, theme.quiet, theme.accent, theme.on_accent
    dark = theme.background_dark, theme.quiet_dark, theme.accent_dark, theme.on_accent_dark
    return f"colours-{'-'.join(colour.removeprefix('#') for colour in (*light, *dark))}.css"


class _Read(NamedTuple):
    """A file, and what of its metadata changes with its content."""

    state: tuple[int, int, int]
    file: PageFile


class TemplateFiles(PageFiles):
    """The files that pages load, read again when they have changed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Begin with the folders of templates; a file of an earlier one takes precedence."""
        self._folders = [folder / FOLDER for folder in folders]
        self._read: dict[Path, _Read] = {}

    @override
    def name(self, file: str) -> str:
        found = self._current(file)
        if found is None:
            raise LookupError(f"{file} is no file that pages can load, in {' or '.join(map(str, self._folders))}")
        return found.name

    @override
    def find(self, name: str) -> PageFile | None:
        if colours := _COLOURS.fullmatch(name):
            content = _LIGHT_AND_DARK.format(*colours[1].split("-")[1:])
            return PageFile(name=name, media_type=_TYPES[".css"], content=content.encode())
        parts = _NAME.fullmatch(name)
        return self._current(parts["stem"] + parts["ending"]) if parts else None

    def _current(self, file: str) -> PageFile | None:
        """Return a file as it is now, or None if there is none, or it is none that pages load."""
        parts = _FILE.fullmatch(file)
        if parts is None or parts["ending"] not in _TYPES:
            return None
        for folder in self._folders:
            path = folder / file
            try:
                status = path.stat()
                if S_ISREG(status.st_mode):
                    return self._read_if_changed(path, (status.st_mtime_ns, status.st_size, status.st_ino))
            except OSError:  # it is not there, or was just removed
                continue
        return None

    def _read_if_changed(self, path: Path, state: tuple[int, int, int]) -> PageFile:
        known = self._read.get(path)
        if known is None or known.state != state:
            content = path.read_bytes()
            name = f"{path.stem}-{blake2b(content, digest_size=_HASH_BYTES).hexdigest()}{path.suffix}"
            known = _Read(state, PageFile(name=name, media_type=_TYPES[path.suffix], content=content))
            self._read[path] = known
            if path.suffix == ".css" and b"{{" in content:
                log.warning(
                    "style_is_no_template",
                    file=str(path),
                    advice="no {{ … }} is filled in here",
                )
        return known.file

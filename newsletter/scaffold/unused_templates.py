"""Templates of the operator's that replace none of the program's, and that no other one names: mostly a typo."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from newsletter.scaffold.templates import ORIGINALS, noted

_KINDS = {".html", ".txt", ".css", ".js"}  # what templates are; other files may be notes of the operator's
_MOST_FILES = 1000  # that are looked at: a setting may name any folder
_MOST_BYTES = 100_000  # of one that is searched


def unused_templates(folder: Path, packaged: Path, *, is_named: bool) -> Iterator[str]:
    """Yield a line for each template or folder of them that changes nothing, with what may be meant.

    Args:
        folder: of the operator's templates, which may be missing.
        packaged: of the program's own.
        is_named: whether a setting names the folder, so that it is meant to be there.
    """
    if not folder.is_dir():
        if is_named:
            yield (
                f"NEWSLETTER_PATHS__TEMPLATES: there is no folder {folder}, so the program's own templates are "
                "used: make it, or remove the setting"
            )
        return
    files = [path for path in islice(folder.rglob("*"), _MOST_FILES) if path.suffix in _KINDS and path.is_file()]
    own = {path.relative_to(folder).as_posix(): _content(path) for path in sorted(files)}
    known = {path.relative_to(packaged).as_posix() for path in packaged.rglob("*") if path.is_file()}
    folders = {name.partition("/")[0] for name in known if "/" in name}
    told = set(noted(folder / ORIGINALS))  # of what the program no longer has, `changed_originals` tells
    for name in sorted(own.keys() - known - told):
        top, slash, _ = name.partition("/")
        if (not slash or top in folders) and not _is_named(name, own):
            yield f"{folder / name}: no mail and no page uses it: {_meant(name, known)}"
    of_others = {name.partition("/")[0] for name in own if "/" in name and not _is_named(name, own)}
    for top in sorted(of_others - folders):
        yield f"{folder / top}: no mail and no page uses this folder: {_meant(top, folders)}"


def _is_named(name: str, own: Mapping[str, bytes]) -> bool:
    """Return whether another template of the operator's names a template, or a file of pages by its last name."""
    sought = name.removeprefix("web/").encode()
    return any(sought in content for other, content in own.items() if other != name)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
    except OSError:  # rendering says it
        return b""


def _meant(name: str, known: Collection[str]) -> str:
    meant = get_close_matches(name, known, n=1)
    return (
        f"rename it to {meant[0]}, or remove it" if meant else "remove it, or name it in a template that is used"
    )

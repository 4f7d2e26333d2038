"""Copies of the program's templates for an operator to change, and a note of what they were copied from.

The program's own change from release to release, and a copy goes on in their place. So `.originals` in the folder
of the copies keeps a digest of each template as it was when it was copied, in the form of `sha256sum`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from newsletter.core.errors import UsageError
from newsletter.whole_files import write_whole

ORIGINALS = ".originals"
# The page around the preview: no reader sees it.
_NOT_COPIED = ("web/studio.",)


def copy_templates(folder: Path, packaged: Path) -> list[str]:
    """Copy the program's templates, and take all of them as known.

    A copy that was changed is kept; one that was not, and whose original has changed, is copied again.

    Args:
        folder: of the operator's templates; it is made if it does not exist.
        packaged: of the program's own.

    Returns:
        A line on how many were copied, and one for each changed copy whose original has changed too.

    Raises:
        UsageError: a file cannot be written; names it and why.
    """
    known, originals, copied, changed = noted(folder / ORIGINALS), _templates(packaged), 0, []
    path = folder / ORIGINALS
    try:
        for name, content in originals.items():
            path = folder / name
            if not path.exists() or _is_outdated(path, content, known.get(name)):
                write_whole(path, content)
                copied += 1
            elif _is_behind(path, content, known.get(name)):
                changed.append(_to_compare(path, packaged / name))
        path = folder / ORIGINALS
        lines = "".join(f"{_digest(content)}  {name}\n" for name, content in originals.items())
        write_whole(path, lines.encode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    kept = len(originals) - copied
    return [f"wrote {copied} templates into {folder}" + (f", kept {kept}" if kept else ""), *changed]


def changed_originals(folder: Path, packaged: Path) -> Iterator[str]:
    """Yield what is to be done about the operator's templates because the program's own have changed since.

    Args:
        folder: of the operator's templates, which may be missing.
        packaged: of the program's own.

    Raises:
        UsageError: a template cannot be read; names it and why.
    """
    outdated = []
    for name, digest in sorted(noted(folder / ORIGINALS).items()):
        own, original = folder / name, packaged / name
        if not own.is_file():
            continue
        try:
            if not original.is_file():
                yield f"{own}: the program no longer has it: remove it unless a template of yours needs it"
            elif _is_outdated(own, original.read_bytes(), digest):
                outdated.append(name)
            elif _is_behind(own, original.read_bytes(), digest):
                yield _to_compare(own, original) + ", then say so by `newsletter init --templates`"
        except OSError as error:
            raise UsageError(f"{own}: cannot be read: {error.strerror}") from None
    if outdated:
        names = ", ".join(outdated)
        what = "copies of an older version that nobody changed"
        yield f"{folder}: {what}: `newsletter init --templates` renews {names}"


def _to_compare(own: Path, original: Path) -> str:
    return f"{own}: the program's own has changed since it was copied: compare it with {original}"


def _is_outdated(own: Path, content: bytes, noted: str | None) -> bool:
    """Return whether a template is what was copied, and the program's own is another now."""
    present = own.read_bytes()
    return _digest(present) == noted and present != content


def _is_behind(own: Path, content: bytes, noted: str | None) -> bool:
    """Return whether the program's own template is neither what was copied nor what the operator has."""
    return noted is not None and _digest(content) != noted and own.read_bytes() != content


def _templates(packaged: Path) -> Mapping[str, bytes]:
    """Return the templates that are copied, by their path in the folder."""
    paths = {path.relative_to(packaged).as_posix(): path for path in sorted(packaged.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith(_NOT_COPIED)}


def noted(path: Path) -> Mapping[str, str]:
    """Return the digests that a note holds, by path; of lines that are no such thing, nothing."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, between, name in pairs if between and not name.startswith(("/", "."))}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()

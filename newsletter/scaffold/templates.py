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
# Mails that nothing sends yet, and the page around the preview: who changes them sees no difference.
_NOT_COPIED = ("confirm/", "goodbye/", "welcome/", "web/studio.")


def copy_templates(folder: Path, packaged: Path) -> list[str]:
    """Copy the program's templates that are not there yet, and take all of them as known.

    Args:
        folder: of the operator's templates; it is made if it does not exist.
        packaged: of the program's own.

    Returns:
        A line on how many were copied, and one for each that was there and whose original has changed.

    Raises:
        UsageError: a file cannot be written; names it and why.
    """
    lines, copied, originals = list(changed_originals(folder, packaged)), 0, _templates(packaged)
    path = folder / ORIGINALS
    try:
        for name, content in originals.items():
            path = folder / name
            if not path.exists():
                write_whole(path, content)
                copied += 1
        path = folder / ORIGINALS
        noted = "".join(f"{_digest(content)}  {name}\n" for name, content in originals.items())
        write_whole(path, noted.encode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    kept = len(originals) - copied
    return [f"wrote {copied} templates into {folder}" + (f", kept {kept}" if kept else ""), *lines]


def changed_originals(folder: Path, packaged: Path) -> Iterator[str]:
    """Yield a line for each of the operator's templates whose original has changed since it was copied.

    Args:
        folder: of the operator's templates, which may be missing.
        packaged: of the program's own.
    """
    noted = _noted(folder / ORIGINALS)
    for name in sorted(noted):
        own, original = folder / name, packaged / name
        if not own.is_file():
            continue
        if not original.is_file():
            yield f"{own}: the program no longer has it: remove it unless a template of yours needs it"
        elif _digest(content := original.read_bytes()) != noted[name] and own.read_bytes() != content:
            yield (
                f"{own}: the program's own has changed since it was copied: compare it with {original}, "
                "then say so by `newsletter init --templates`"
            )


def _templates(packaged: Path) -> Mapping[str, bytes]:
    """Return the templates that are copied, by their path in the folder."""
    paths = {path.relative_to(packaged).as_posix(): path for path in sorted(packaged.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith(_NOT_COPIED)}


def _noted(path: Path) -> Mapping[str, str]:
    """Return the digests that a note holds, by path; of lines that are no such thing, nothing."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, between, name in pairs if between and not name.startswith(("/", "."))}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()

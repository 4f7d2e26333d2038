"""Files that are there whole or not at all, whoever is killed while they are written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_PUBLIC = 0o666  # less the umask


def write_whole(path: Path, content: bytes, *, durable: bool = False, mode: int = _PUBLIC) -> None:
    """Put a file in its place, new or instead of the old one, in one step. The folder is made if need be.

    Args:
        path: the file. Until it is whole it lies beside it, under a name that begins with a dot.
        content: what it is to hold.
        durable: it is on the disk, name and all, when this returns.
        mode: who may read and write it, less the umask, from the first moment on.

    Raises:
        OSError: it cannot be written; the old one, if there is one, is as it was.
    """
    with whole_file(path, durable=durable, mode=mode) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path, *, durable: bool = False, mode: int = _PUBLIC) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes its place when the context ends well; see `write_whole`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names of new files in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The key that signs the links in mails, if the operator set none: made once, and kept in the state folder."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from newsletter.core.errors import ConfigurationError
from newsletter.settings.values import weakness
from newsletter.whole_files import sync_folder

FILE = "secret_key"  # in the state folder
_VARIABLE = "NEWSLETTER_WEB__SECRET_KEY"


def kept_key(path: Path) -> str:
    """Return the key in a file; if there is no file, make a key and write it there.

    Raises:
        ConfigurationError: the key cannot be read or written, or is so weak that links could be forged; names the
            file and what to do.
    """
    try:
        if not path.exists():
            _keep(path, secrets.token_urlsafe(32))
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(
            f"{path}: the key for signed links cannot be kept: {reason}; set {_VARIABLE}"
        ) from error
    key = content.decode("utf-8", "replace")
    if reason := weakness(key):
        raise ConfigurationError(
            f"{path}: {reason}, so anybody could forge links: put the key of your backup there, set {_VARIABLE}, "
            "or remove the file to get a new key, with which the links in old mails no longer work"
        )
    return key


def _keep(path: Path, key: str) -> None:
    """Write a key to a new file, complete and durable, unless another process has written it first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(partial)
    finally:
        partial.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):
        with suppress(OSError):  # a file system without fsync, or a parent that we may not read
            sync_folder(folder)

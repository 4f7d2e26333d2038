"""What the shell completes beside commands and options. It has to be quick, so nothing is checked or opened."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

_FOLDER = "NEWSLETTER_PATHS__SUBSCRIBERS"


def list_names(env_file: Path, incomplete: str) -> list[str]:
    """Return the names of list files that begin with a text, in order; none where the folder cannot be read.

    Args:
        env_file: where the folder of list files may be set, if the environment does not say it.
        incomplete: what was typed of the name.
    """
    try:
        folder = os.environ.get(_FOLDER) or dotenv_values(env_file).get(_FOLDER) or "subscribers"
        names = sorted(path.stem for path in Path(folder).glob("*.toml") if not path.name.startswith("."))
    except (OSError, ValueError):
        return []
    return [name for name in names if name.startswith(incomplete)]

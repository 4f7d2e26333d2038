"""Writes a working folder: settings, a first list and, if wanted, a workflow."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from newsletter.core.errors import UsageError
from newsletter.scaffold.answers import in_list_file, in_settings

_PRIVATE, _PUBLIC = 0o600, 0o666  # less the umask
# When many start their work, GitHub starts it late or not at all: at full hours, and at round minutes.
_MINUTES = [minute for minute in range(3, 57) if minute % 5]
_CRON = re.compile(r'"\d+ \* \* \* \*"')
_SECRET_KEY = re.compile(r"^NEWSLETTER_WEB__SECRET_KEY=$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _File:
    place: str
    content: bytes
    mode: int = _PUBLIC


def scaffold(folder: Path, answers: Mapping[str, str], *, github_actions: bool = False) -> list[str]:
    """Write the files of a working folder; no file is overwritten.

    Args:
        folder: the working folder; it is made if it does not exist.
        answers: to `questions()`, and to `LOGIN` if these were asked; by their keys.
        github_actions: write a workflow too, which runs the newsletter on GitHub's machines.

    Returns:
        A line for each file: `wrote …`, or `kept …` if it existed.

    Raises:
        UsageError: a file cannot be written; names it and why.
    """
    lines = []
    for file in _files(answers, github_actions=github_actions):
        path = folder / file.place
        try:
            lines.append(f"wrote {path}" if _write(path, file) else f"kept {path}, which was there already")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return lines


def _files(answers: Mapping[str, str], *, github_actions: bool) -> Iterator[_File]:
    key = secrets.token_urlsafe(32)
    settings = _SECRET_KEY.sub(f"NEWSLETTER_WEB__SECRET_KEY={key}", _shipped("env.example", ".env.example"))
    yield _File(".env", in_settings(settings, answers).encode(), _PRIVATE)
    example = _shipped("daily.toml", "subscribers/daily.toml")
    yield _File("subscribers/daily.toml", in_list_file(example, answers).encode())
    own = files("newsletter.scaffold") / "files"
    yield _File(".gitignore", (own / "gitignore").read_bytes())
    if github_actions:
        workflow = (own / "newsletter.yml").read_text(encoding="utf-8")
        hourly = _CRON.sub(f'"{secrets.choice(_MINUTES)} * * * *"', workflow)
        yield _File(".github/workflows/newsletter.yml", hourly.encode())


def _shipped(packaged: str, in_checkout: str) -> str:
    """Return the text of an example file: in a wheel it is inside the package, in a checkout in its own place."""
    package = Path(str(files("newsletter")))
    places = (package / "_scaffold" / packaged, package.parent / in_checkout)
    return next(place for place in places if place.exists()).read_text(encoding="utf-8")


def _write(path: Path, file: _File) -> bool:
    """Write a file unless it exists; return whether it was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Created exclusively, and with its final mode: never readable by others for a moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.content)
    return True

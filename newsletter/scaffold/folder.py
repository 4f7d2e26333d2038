"""Writes a working folder: settings, a first list and, if wanted, what runs it unattended."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from newsletter.core.errors import UsageError
from newsletter.scaffold import deploying
from newsletter.scaffold.answers import in_list_file, in_settings
from newsletter.scaffold.deploying import SECRETS, Service, own_file

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


def scaffold(
    folder: Path,
    answers: Mapping[str, str],
    *,
    github_actions: bool = False,
    compose: bool = False,
    service: Service | None = None,
    workers: int = 0,
) -> list[str]:
    """Write the files of a working folder; no file is overwritten.

    Args:
        folder: the working folder; it is made if it does not exist.
        answers: to `questions()`, and to `LOGIN` if these were asked; by their keys.
        github_actions: write a workflow too, which runs the newsletter on GitHub's machines.
        compose: write a file for `docker compose` too, with a database.
        service: write units of systemd too, for this user and program.
        workers: let as many workers deliver, in processes of their own; 0: one process does all.

    Returns:
        A line for each file: `wrote …`, or `kept …` if there was one, or a link.

    Raises:
        UsageError: a file cannot be written; names it and why.
    """
    given = {} if (folder / ".env").exists() else _settings_secrets(answers)
    written = (given if compose or service else {}) | (_database_secrets(folder) if compose else {})
    lines = []
    for file in (
        *_secret_files(written),  # before the settings, which name them
        *_own_files(answers, given, in_files=bool(written)),
        *_workflow(wanted=github_actions),
        *_deployment(folder, written, compose=compose, service=service, workers=workers),
    ):
        path = folder / file.place
        try:
            lines.append(f"wrote {path}" if _write(path, file) else _kept(path))
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return lines


def _settings_secrets(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets of new settings, by their names: a key for links and, if it was said, the password."""
    password = answers.get("password")
    return {"secret_key": secrets.token_urlsafe(32)} | ({"smtp_password": password} if password else {})


def _database_secrets(folder: Path) -> dict[str, str]:
    """Return what the database and the program are told of each other; a password that is there stays."""
    path = folder / SECRETS / "database_password"
    try:
        password = path.read_text(encoding="utf-8").strip() if path.exists() else deploying.new_password()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return dict(deploying.database_secrets(password))


def _secret_files(written: Mapping[str, str]) -> Iterator[_File]:
    for name, secret in written.items():
        yield _File(f"{SECRETS}/{name}", secret.encode(), _PRIVATE)
    if written:
        yield _File(f"{SECRETS}/.gitignore", b"*\n")


def _own_files(answers: Mapping[str, str], given: Mapping[str, str], *, in_files: bool) -> Iterator[_File]:
    """Yield what each working folder has. Secrets stand in the settings, or the settings name their files."""
    settings = in_settings(_shipped("env.example", ".env.example"), answers)
    if in_files:
        settings = deploying.settings_with_files(settings, given)
    else:
        settings = _SECRET_KEY.sub(f"NEWSLETTER_WEB__SECRET_KEY={given.get('secret_key', '')}", settings)
    yield _File(".env", settings.encode(), _PRIVATE)
    example = _shipped("daily.toml", "subscribers/daily.toml")
    yield _File("subscribers/daily.toml", in_list_file(example, answers).encode())
    yield _File(".gitignore", own_file("gitignore").encode())


def _workflow(*, wanted: bool) -> Iterator[_File]:
    if wanted:
        hourly = _CRON.sub(f'"{secrets.choice(_MINUTES)} * * * *"', own_file("newsletter.yml"))
        yield _File(".github/workflows/newsletter.yml", hourly.encode())


def _deployment(
    folder: Path, written: Mapping[str, str], *, compose: bool, service: Service | None, workers: int
) -> Iterator[_File]:
    """Yield what runs the newsletter in containers, and as a service."""
    present = {name for name in deploying.NAMES if name in written or (folder / SECRETS / name).exists()}
    if compose:
        owner = deploying.user_in_container(os.getuid(), os.getgid())
        yield _File("compose.yaml", deploying.compose(owner, present, workers=workers).encode())
    if service:
        yield _File("var/.gitignore", b"*\n")  # a service may write into a folder only if that is there
        named = present - {"database_url"}
        for name, unit in deploying.units(folder.absolute(), service, named, workers=workers > 0):
            yield _File(f"systemd/{name}", unit.encode())


def _shipped(packaged: str, in_checkout: str) -> str:
    """Return the text of an example file: in a wheel it is inside the package, in a checkout in its own place."""
    package = Path(str(files("newsletter")))
    places = (package / "_scaffold" / packaged, package.parent / in_checkout)
    return next(place for place in places if place.exists()).read_text(encoding="utf-8")


def _kept(path: Path) -> str:
    """Return a line on a file that was not written."""
    return f"kept {path}, which {'was there already' if path.exists() else 'is a link that leads nowhere'}"


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

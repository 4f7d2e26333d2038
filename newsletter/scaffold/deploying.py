"""Files for running it unattended: containers by compose, or services of systemd, with each secret in a file."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from newsletter.core.errors import UsageError
from newsletter.core.text import one_line

SECRETS = "secrets"
NAMES = (
    "secret_key",
    "admin_token",
    "smtp_password",
    "imap_password",
    "database_url",
)  # what may have a file there
_USER_IN_IMAGE = 10001  # of the Dockerfile
_FIT_FOR_UNITS = re.compile(r"[\w./@+~-]+")  # nothing that systemd would read as a separator or a specifier
_OF_ROOT = "root"  # both the user and the home folder
_HOMES = ("home", _OF_ROOT)
_UNITS = ("newsletter.service", "newsletter-run.service", "newsletter-run.timer")
_UNITS_WITH_WORKERS = (
    "newsletter-scheduler.service",
    "newsletter-worker@.service",
    "newsletter-web.service",
    "newsletter-upgrade.service",
)
# What PostgreSQL allows at least, and what each process may hold: its pool, and what a worker needs beside it.
_LEAST_CONNECTIONS, _CONNECTIONS_EACH = 100, 20
_OTHERS = 3  # processes beside workers: scheduler, pages and commands
_ELSEWHERE = {
    "folder": "choose another folder, such as /srv/papers",
    "program": "install it elsewhere, as `make install PREFIX=/opt/newsletter` does",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who runs what as a service of systemd.

    Attributes:
        program: the absolute path of the program.
        user: the name of the user that runs it.
    """

    program: Path
    user: str


def own_file(name: str) -> str:
    """Return the text of a file that a working folder gets as it is, or with some values in their places."""
    return (files("newsletter.scaffold") / "files" / name).read_text(encoding="utf-8")


def user_in_container(uid: int, gid: int) -> str:
    """Return the user and group that the container runs as, as compose reads them, by those of whom the folder is.

    Who is root gets the user of the image instead, whom the folder must be given to.
    """
    return f"{uid}:{gid}" if uid else f"{_USER_IN_IMAGE}:{_USER_IN_IMAGE}"


def database_secrets(password: str) -> Mapping[str, str]:
    """Return what the database and the program are told of each other, by the names of the secrets."""
    return {
        "database_password": password,
        "database_url": f"postgresql://newsletter:{password}@database/newsletter",
    }


def new_password() -> str:
    """Return a password that stands in a URL as it is."""
    return secrets.token_urlsafe(24)


def settings_with_files(text: str, names: Collection[str]) -> str:
    """Return the text of the example settings with the files of secrets named in place of the secrets.

    Args:
        text: the example.
        names: of the secrets, as `secret_key`; what is no setting of its own is left out.
    """
    for name in names:
        if variable := {"secret_key": "WEB__SECRET_KEY", "smtp_password": "SMTP__PASSWORD"}.get(name):
            text = re.sub(
                rf"^NEWSLETTER_{variable}=.*$",
                f"NEWSLETTER_{variable}_FILE={SECRETS}/{name}",
                text,
                count=1,
                flags=re.MULTILINE,
            )
    return text


def compose(owner: str, present: Collection[str], *, workers: int = 0) -> str:
    """Return the compose file.

    Args:
        owner: the user and group of the container.
        present: the names of the secrets that have a file.
        workers: how many there are, beside a scheduler and the pages; 0: one process does all.
    """
    connections = max(_LEAST_CONNECTIONS, (workers + _OTHERS) * _CONNECTIONS_EACH)
    text = own_file("compose-workers.yaml" if workers else "compose.yaml")
    for mark, value in {"@OWNER@": owner, "@WORKERS@": str(workers), "@CONNECTIONS@": str(connections)}.items():
        text = text.replace(mark, value)
    return _with_secrets(text, present)


def units(
    folder: Path, service: Service, present: Collection[str], *, workers: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield the units of systemd, each by its name.

    Args:
        folder: the working folder, absolute.
        service: who runs what.
        present: the names of the secrets that have a file.
        workers: whether workers, a scheduler and the pages are processes of their own.

    Raises:
        UsageError: a path has letters that mean something else in a unit, or is one that the user cannot read.
    """
    paths = {"folder": folder, "program": service.program}
    for what, path in paths.items():
        if not _FIT_FOR_UNITS.fullmatch(str(path)):
            shown = one_line(str(path))
            raise UsageError(
                f"{shown}: units of systemd need a path of letters, digits and ./@+~-_: choose another"
            )
        if path.parts[1:2] == (_OF_ROOT,) and service.user != _OF_ROOT:
            raise UsageError(f"{path}: below /root nobody but root can read: {_ELSEWHERE[what]}")
    at_home = any(path.parts[1:2] in {(home,) for home in _HOMES} for path in paths.values())
    values = {
        "@COMMON@\n": own_file("hardening.conf"),
        "@FOLDER@": str(folder),
        "@PROGRAM@": str(service.program),
        "@USER@": service.user,
        "@HOME@": "read-only" if at_home else "yes",
    }
    for name in _UNITS_WITH_WORKERS if workers else _UNITS:
        text = own_file(name)
        for mark, value in values.items():
            text = text.replace(mark, value)
        yield name, _with_secrets(text, present)


def _with_secrets(text: str, present: Collection[str]) -> str:
    """Return a file in which the lines of some secrets are no comments any more."""
    for name in present:
        text = re.sub(rf"^( *)# (?=.*\b{name}\b)", r"\1", text, flags=re.MULTILINE)
    return text

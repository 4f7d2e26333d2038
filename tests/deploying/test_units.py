"""The units of systemd that `newsletter init --systemd` writes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from newsletter.cli.commands import COMMANDS
from newsletter.core.errors import UsageError
from newsletter.scaffold import Service, questions, scaffold
from newsletter.scaffold.deploying import NAMES, compose, units
from newsletter.settings import Settings, load, variables
from newsletter.settings.secret_files import fields_in_files
from tests.services import need

ANSWERS = {one.key: one.default for one in questions()}
LOGIN = {"host": "mail.lab.example", "username": "ann", "password": "sesame 17 ü"}
TRUE = Path("/bin/true")


UNITS = ["newsletter-run.service", "newsletter-run.timer", "newsletter.service"]
UNITS_WITH_WORKERS = [
    "newsletter-scheduler.service",
    "newsletter-upgrade.service",
    "newsletter-web.service",
    "newsletter-worker@.service",
]


def written(folder: Path, answers: dict[str, str] = ANSWERS, *, workers: int = 0) -> dict[str, str]:
    """Return the units of a new folder by their names."""
    scaffold(folder, answers, service=Service(program=TRUE, user="papers"), workers=workers)
    return {path.name: path.read_text() for path in sorted((folder / "systemd").iterdir())}


@pytest.mark.parametrize(("workers", "expected"), [(0, UNITS), (2, UNITS_WITH_WORKERS)])
def test_systemd_takes_them_without_a_warning(tmp_path: Path, workers: int, expected: list[str]) -> None:
    analyze = need("systemd-analyze")
    names = list(written(tmp_path / "papers", ANSWERS | LOGIN, workers=workers))
    assert names == expected
    paths = [str(tmp_path / "papers" / "systemd" / name) for name in names]
    found = subprocess.run([analyze, "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    said = [line for line in found.stderr.splitlines() if str(tmp_path) in line or "newsletter" in line]
    assert (found.returncode, said) == (0, [])


def test_they_lock_the_program_in(tmp_path: Path) -> None:
    analyze = need("systemd-analyze")
    written(tmp_path / "papers")
    written(tmp_path / "papers", workers=2)
    for name in ("newsletter.service", "newsletter-run.service", *UNITS_WITH_WORKERS):
        command = (analyze, "security", "--offline=true", "--no-pager", "--threshold=15")
        found = subprocess.run(
            [*command, str(tmp_path / "papers" / "systemd" / name)], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stdout


def test_each_secret_is_in_a_file_of_its_own_that_settings_and_unit_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "papers"
    unit = written(folder, ANSWERS | LOGIN)["newsletter.service"]
    monkeypatch.chdir(folder)
    settings = load(Path(".env"))
    secrets = {path.name: path.read_text() for path in Path("secrets").iterdir() if path.name != ".gitignore"}
    assert secrets == {
        "secret_key": settings.web.secret_key.get_secret_value(),
        "smtp_password": "sesame 17 ü",
    }
    assert settings.smtp.password.get_secret_value() == "sesame 17 ü"
    for name, secret in secrets.items():
        assert Path("secrets", name).stat().st_mode & 0o777 == 0o600
        assert secret not in Path(".env").read_text() + unit
        assert f"\nLoadCredential={name}:{folder}/secrets/{name}\n" in unit
    # As systemd hands them over.
    handed = re.findall(r"^Environment=(\w+)=%d/(\w+)$", unit, re.MULTILINE)
    assert {name for _, name in handed} == secrets.keys()
    for variable, name in handed:
        monkeypatch.setenv(variable, str(folder / "secrets" / name))
    assert load(Path(".env")) == settings


def test_settings_that_were_there_keep_their_secrets(tmp_path: Path) -> None:
    scaffold(tmp_path, ANSWERS | LOGIN)
    before = (tmp_path / ".env").read_text()
    unit = written(tmp_path)["newsletter.service"]
    assert (tmp_path / ".env").read_text() == before
    assert not (tmp_path / "secrets").exists()
    assert "\n# LoadCredential=smtp_password:" in unit
    assert "\nLoadCredential=" not in unit


@pytest.mark.parametrize("name", ["my papers", "100%", "a:b", 'a"b'])
def test_a_path_that_a_unit_would_misread_is_named_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="choose another"):
        written(tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("folder", "program", "advice"),
    [
        ("/root/papers", "/opt/newsletter/bin/newsletter", "such as /srv/papers"),
        ("/srv/papers", "/root/.local/bin/newsletter", "PREFIX=/opt/newsletter"),
    ],
)
def test_what_the_services_user_could_not_read_is_named(folder: str, program: str, advice: str) -> None:
    service = Service(program=Path(program), user="papers")
    with pytest.raises(UsageError, match=advice):
        list(units(Path(folder), service, set()))


def test_each_secret_that_units_and_compose_file_name_is_a_setting() -> None:
    made = dict(units(Path("/srv/papers"), Service(program=TRUE, user="ann"), NAMES))
    files = (compose("1:1", NAMES), compose("1:1", NAMES, workers=2))
    for text in (made["newsletter.service"], made["newsletter-run.service"], *files):
        assert re.search(r"^ *#.*(%d|/run/secrets)/", text, re.MULTILINE) is None, "all are there"
        named = re.findall(r"\bNEWSLETTER_\w+_FILE\b", text)
        assert len(named) == len(NAMES)
        assert set(named) <= {*fields_in_files(Settings), *variables()}


def test_with_workers_each_process_is_started_by_a_command_of_its_own_once_the_database_is_ready() -> None:
    made = dict(units(Path("/srv/papers"), Service(program=TRUE, user="ann"), NAMES, workers=True))
    for name, text in made.items():
        [command] = re.findall(r"^ExecStart=/bin/true (.+)$", text, re.MULTILINE)
        assert command.split()[0] in COMMANDS
        assert "@" not in re.sub(r"@(system-service|privileged)|worker@", "", text), f"{name} has a mark left"
        if command != "db upgrade":
            assert re.search(r"^Wants=.*\bnewsletter-upgrade\.service$", text, re.MULTILINE)
            assert re.search(r"^After=.*\bnewsletter-upgrade\.service$", text, re.MULTILINE)
            assert "\nRestart=always\n" in text


def test_home_folders_are_hidden_unless_it_lives_in_one() -> None:
    for folder, hidden in (("/srv/papers", "yes"), ("/home/ann/papers", "read-only")):
        made = dict(units(Path(folder), Service(program=TRUE, user="ann"), set()))
        assert f"\nProtectHome={hidden}\n" in made["newsletter.service"]

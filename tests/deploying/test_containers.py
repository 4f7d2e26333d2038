"""The image, and the compose file that `newsletter init --compose` writes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from newsletter.cli.commands import COMMANDS
from newsletter.scaffold import questions, scaffold
from newsletter.settings import load
from newsletter.web.server import serving
from tests.documents.markdown import ROOT
from tests.services import missing, need

ANSWERS = {one.key: one.default for one in questions()}
LOGIN = {"host": "mail.lab.example", "username": "ann", "password": "sesame 17 ü"}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def compose_of(folder: Path) -> dict[str, Any]:
    """Return a folder's compose file, as a program for compose files understands it."""
    for command in (["docker", "compose"], ["docker-compose"]):
        try:
            known = subprocess.run([*command, "version"], capture_output=True, check=False, timeout=60)
        except FileNotFoundError:
            continue
        if known.returncode == 0:
            break
    else:
        missing("docker-compose")
    found = subprocess.run(
        [*command, "--profile", "proxy", "config"], capture_output=True, text=True, check=False, cwd=folder
    )
    assert (found.returncode, found.stderr) == (0, "")
    read: dict[str, Any] = yaml.safe_load(found.stdout)
    return read


def test_compose_takes_it_and_hands_each_secret_over_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "papers"
    scaffold(folder, ANSWERS | LOGIN, compose=True)
    services = compose_of(folder)["services"]
    assert services.keys() == {"newsletter", "upgrade", "database", "caddy"}
    for name in ("newsletter", "upgrade"):
        one = services[name]
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert not str(one["user"]).startswith("0")
    assert services["database"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database_password"
    # The settings that the container has, with the files where compose puts them.
    environment = services["newsletter"]["environment"]
    text = (folder / "compose.yaml").read_text()
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(folder / "secrets")))
    settings = load(folder / ".env")
    password = (folder / "secrets" / "database_password").read_text()
    assert settings.database.url.get_secret_value() == f"postgresql://newsletter:{password}@database/newsletter"
    assert settings.smtp.password.get_secret_value() == "sesame 17 ü"
    assert len(settings.web.secret_key.get_secret_value()) >= 43
    for secret in (password, "sesame 17 ü", settings.web.secret_key.get_secret_value()):
        assert secret not in text + (folder / ".env").read_text()


def test_compose_takes_workers_beside_a_scheduler_and_the_pages(tmp_path: Path) -> None:
    scaffold(tmp_path, ANSWERS | LOGIN, compose=True, workers=7)
    services = compose_of(tmp_path)["services"]
    assert services.keys() == {"scheduler", "worker", "web", "upgrade", "database", "caddy"}
    assert services["worker"]["deploy"]["replicas"] == 7
    assert services["database"]["command"] == "postgres -c max_connections=200"
    for name in ("scheduler", "worker", "web"):
        one = services[name]
        assert one["command"] == name
        assert one["command"] in COMMANDS
        assert one["restart"] == "always"
        assert one["depends_on"]["upgrade"] == {"condition": "service_completed_successfully"}
        assert (one["read_only"], one["cap_drop"], one["stop_grace_period"]) == (True, ["ALL"], "20s")
        secrets = {secret["source"] for secret in one["secrets"]}
        assert secrets == {"database_url", "secret_key", "smtp_password"}
        assert one["environment"].get("NEWSLETTER_DELIVERY__PROCESSES") == ("1" if name == "worker" else None)
        files = {value for key, value in one["environment"].items() if key.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in secrets}
    assert [name for name, one in services.items() if "ports" in one] == ["caddy", "web"]
    assert services["web"].keys() & {"healthcheck"} == set(), "it has that of the image"


def test_a_folder_that_was_there_keeps_its_secrets_and_its_database_password(tmp_path: Path) -> None:
    scaffold(tmp_path, ANSWERS | LOGIN)
    scaffold(tmp_path, ANSWERS, compose=True)
    text = (tmp_path / "compose.yaml").read_text()
    assert "\n      # NEWSLETTER_SMTP__PASSWORD_FILE: " in text
    assert "\n      NEWSLETTER_DATABASE__URL_FILE: " in text
    password = (tmp_path / "secrets" / "database_password").read_text()
    (tmp_path / "secrets" / "database_url").unlink()
    scaffold(tmp_path, ANSWERS, compose=True)
    assert f":{password}@" in (tmp_path / "secrets" / "database_url").read_text()


def test_hadolint_finds_nothing() -> None:
    hadolint = need("hadolint", str(Path(sys.executable).parent / "hadolint"))
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_gets_all_that_the_program_is_made_of_and_no_more(tmp_path: Path) -> None:
    """What the Dockerfile copies, built as there, is the package that a checkout makes."""
    copied = re.findall(r"^COPY (?!--from)(.+) (\S+)$", DOCKERFILE, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for names, _ in copied:
        for name in names.split():
            assert f"!{name}" in ignored, f".dockerignore keeps {name} away"
            target = tmp_path / name.rstrip("/")
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(ROOT / name.rstrip("/"))
    packages = []
    for source, place in ((tmp_path, "image"), (ROOT, "checkout")):
        wheels = tmp_path / place
        command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
        subprocess.run(command, cwd=source, capture_output=True, check=True)
        [wheel] = wheels.glob("*.whl")
        packages.append({name for name in zipfile.ZipFile(wheel).namelist() if "__pycache__" not in name})
    assert packages[0] == packages[1]
    assert "newsletter/_scaffold/daily.toml" in packages[0]


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1)])
async def test_the_health_check_says_whether_the_pages_answer(
    monkeypatch: pytest.MonkeyPatch, status: int, expected: int
) -> None:
    import asyncio

    [command] = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    app = Starlette(routes=[Route("/-/healthz", lambda _: PlainTextResponse("", status))])
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # which it must not ask
    async with serving(app, "127.0.0.1", 0) as url:
        monkeypatch.setenv("NEWSLETTER_WEB__PORT", str(httpx2.URL(url).port))
        _, *words = json.loads(command)
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=asyncio.subprocess.DEVNULL)
        assert await process.wait() == expected

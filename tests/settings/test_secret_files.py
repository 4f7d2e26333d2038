"""Secrets that stand in files of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.settings import load
from newsletter.settings.groups import Settings
from newsletter.settings.secret_files import fields_in_files

KEY = "a-secret-key-of-many-characters"


def test_each_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {
        "SMTP__PASSWORD": "p\u00e4ss word\n",
        "DATABASE__URL": "postgresql://papers:x@db.example.org/papers\r\n",
        "WEB__SECRET_KEY": KEY,
        "WEB__FORMER_SECRET_KEYS": json.dumps(["a-former-key-of-many-characters"]),
        "SMTP__RELAYS": json.dumps([{"host": "b.example.org", "username": "u", "password": "second"}]),
    }.items():
        (tmp_path / name).write_text(content, newline="")
        monkeypatch.setenv(f"NEWSLETTER_{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("NEWSLETTER_SMTP__USERNAME", "papers")
    settings = load(None)
    assert settings.smtp.password.get_secret_value() == "p\u00e4ss word"
    assert settings.database.url.get_secret_value() == "postgresql://papers:x@db.example.org/papers"
    assert settings.web.secret_key.get_secret_value() == KEY
    assert [key.get_secret_value() for key in settings.web.former_secret_keys] == [
        "a-former-key-of-many-characters"
    ]
    assert settings.smtp.relays[0].password.get_secret_value() == "second"
    assert settings.smtp.username == "papers"


def test_a_settings_file_may_name_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(KEY)
    (tmp_path / ".env").write_text(f"NEWSLETTER_WEB__ADMIN_TOKEN_FILE={tmp_path}/token\nNEWSLETTER_WEB__PORT=81\n")
    settings = load(tmp_path / ".env")
    assert (settings.web.admin_token.get_secret_value(), settings.web.port) == (KEY, 81)


def test_every_secret_has_one_and_nothing_else() -> None:
    names = {name.removeprefix("NEWSLETTER_") for name in fields_in_files(Settings)}
    assert {"SMTP__PASSWORD_FILE", "SMTP__RELAYS_FILE", "DATABASE__URL_FILE", "WEB__SECRET_KEY_FILE"} <= names
    assert not {"SMTP__HOST_FILE", "WEB__PUBLIC_URL_FILE", "DKIM__KEY_FILE"} & names
    assert "INBOUND__IMAP_PASSWORD_FILE" not in names, "it is a setting of its own, read at each use"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "cannot be read: it is empty"),
        (b"\n", "cannot be read: it is empty"),
        (b"\xff" * 20, "cannot be read: it is not UTF-8 text"),
        (b"x" * 65537, "cannot be read: it is larger than 64 KB"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_name(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    (tmp_path / ".env").write_text(f"# tokens\nNEWSLETTER_WEB__ADMIN_TOKEN_FILE={tmp_path}/token\n")
    with pytest.raises(ConfigurationError) as told:
        load(tmp_path / ".env")
    assert str(told.value) == f"{tmp_path}/.env:2: NEWSLETTER_WEB__ADMIN_TOKEN_FILE: {tmp_path}/token: {reason}"


@pytest.mark.parametrize("in_environment", [False, True])
def test_a_secret_that_is_set_twice_in_one_place_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_environment: bool
) -> None:
    (tmp_path / "token").write_text(KEY)
    both = {"ADMIN_TOKEN_FILE": f"{tmp_path}/token", "ADMIN_TOKEN": f"another-{KEY}"}
    if in_environment:
        for name, value in both.items():
            monkeypatch.setenv(f"NEWSLETTER_WEB__{name}", value)
    else:
        (tmp_path / ".env").write_text(
            "".join(f"NEWSLETTER_WEB__{name}={value}\n" for name, value in both.items())
        )
    with pytest.raises(ConfigurationError) as told:
        load(tmp_path / ".env")
    assert str(told.value).endswith(
        "NEWSLETTER_WEB__ADMIN_TOKEN_FILE: NEWSLETTER_WEB__ADMIN_TOKEN is set as well: set one of the two"
    )


@pytest.mark.parametrize("is_file", [False, True])
def test_the_environments_secret_takes_the_place_of_the_settings_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_file: bool
) -> None:
    """So a container is handed its secrets, whatever the `.env` of the folder says."""
    (tmp_path / "token").write_text(f"a-file-{KEY}")
    as_file, as_value = ("ADMIN_TOKEN_FILE", f"{tmp_path}/token"), ("ADMIN_TOKEN", f"a-value-{KEY}")
    here, there = (as_file, as_value) if is_file else (as_value, as_file)
    (tmp_path / ".env").write_text(f"NEWSLETTER_WEB__{there[0]}={there[1]}\n")
    monkeypatch.setenv(f"NEWSLETTER_WEB__{here[0]}", here[1])
    token = load(tmp_path / ".env").web.admin_token.get_secret_value()
    assert token == (f"a-file-{KEY}" if is_file else f"a-value-{KEY}")


def test_what_a_file_holds_is_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("hunter2")  # too short a key
    monkeypatch.setenv("NEWSLETTER_WEB__SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(ConfigurationError) as told:
        load(None)
    assert "NEWSLETTER_WEB__SECRET_KEY" in str(told.value)
    assert "hunter2" not in str(told.value)

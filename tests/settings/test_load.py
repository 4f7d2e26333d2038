"""Where settings come from, and how mistakes in them are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.settings import load, variables

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
CANARY = "hunter2"


def mistakes(env_file: Path | None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(env_file)
    return str(caught.value).splitlines()


def error_shown() -> str:
    """Return the error that an operator with this environment sees, or nothing."""
    try:
        load(None)
    except ConfigurationError as error:
        return str(error)
    return ""


def test_the_example_loads_and_holds_the_defaults() -> None:
    assert load(EXAMPLE) == load(None)


def test_the_example_names_every_setting_once() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    names = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(names) == sorted(variables())


def test_the_environment_goes_before_the_file_and_an_empty_value_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("NEWSLETTER_SMTP__HOST=file\nNEWSLETTER_SMTP__PORT=26\nNEWSLETTER_WEB__PORT=\n")
    monkeypatch.setenv("NEWSLETTER_SMTP__HOST", "environment")
    monkeypatch.setenv("NEWSLETTER_SMTP__PORT", "")
    settings = load(env_file)
    assert (settings.smtp.host, settings.smtp.port, settings.web.port) == ("environment", 26, 8000)


def test_there_need_not_be_a_file(tmp_path: Path) -> None:
    assert load(tmp_path / ".env") == load(None)


def test_a_misspelt_variable_of_the_environment_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEWSLETTER_SMPT__HOST", "NEWSLETTER_SMTP__HOTS", "NEWSLETTER_SMTP_HOST"):
        monkeypatch.setenv(name, CANARY)
    assert mistakes(None) == [
        "NEWSLETTER_SMPT__HOST: unknown setting: did you mean NEWSLETTER_SMTP__HOST?",
        "NEWSLETTER_SMTP_HOST: unknown setting: did you mean NEWSLETTER_SMTP__HOST?",
        "NEWSLETTER_SMTP__HOTS: unknown setting: did you mean NEWSLETTER_SMTP__HOST?",
    ]


def test_a_wrong_value_is_named_by_its_line_unless_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("\nNEWSLETTER_SMTP__HOST=smtp://mail.example.org\nNEWSLETTER_SMTP__PORT=x\n")
    monkeypatch.setenv("NEWSLETTER_SMTP__PORT", "y")
    host, port = mistakes(env_file)
    assert host.startswith(f"{env_file}:2: NEWSLETTER_SMTP__HOST: write the name")
    assert port == "NEWSLETTER_SMTP__PORT: write a whole number"


@pytest.mark.parametrize("prefix", ["NEWSLETTER", "NEWSLETTER_WEB", "NEWSLETTER_SMTP", "newsletter"])
def test_what_kubernetes_tells_its_pods_is_ignored(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    for name, value in {
        "SERVICE_HOST": "10.0.0.7",
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP": "8000",
        "PORT": "tcp://10.0.0.7:8000",
        "PORT_8000_TCP": "tcp://10.0.0.7:8000",
        "PORT_8000_TCP_ADDR": "10.0.0.7",
        "PORT_8000_TCP_PORT": "8000",
        "PORT_8000_TCP_PROTO": "tcp",
        "PORT_53_UDP": "udp://10.0.0.7:53",
    }.items():
        monkeypatch.setenv(f"{prefix}_{name}", value)
    assert load(None) == load(None)
    monkeypatch.setenv("NEWSLETTER_SMTP_PORT", "587")
    assert mistakes(None) == ["NEWSLETTER_SMTP_PORT: unknown setting: did you mean NEWSLETTER_SMTP__PORT?"]


def test_a_port_in_the_file_is_a_misspelt_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NEWSLETTER_PORT=8000\n")
    [said] = mistakes(tmp_path / ".env")
    assert "NEWSLETTER_PORT: unknown setting" in said


def test_a_group_of_endless_brackets_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SMTP", "[" * 100_000)
    assert all(len(line) < 200 for line in mistakes(None))


def test_a_variable_that_is_like_no_other_is_a_mistake_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_X", CANARY)
    assert mistakes(None) == ["NEWSLETTER_X: unknown setting: remove it; .env.example names all"]


def test_a_whole_group_in_one_variable_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SMTP", CANARY)
    first, second = mistakes(None)
    assert first == "NEWSLETTER_SMTP: unknown setting: remove it; .env.example names all"
    assert CANARY not in second


def test_all_mistakes_of_file_and_environment_come_at_once_with_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        "# settings\n\nNEWSLETTER_SMPT__HOST=x\nNEWSLETTER_WEB__PORT=1\n\n\nnewsletter_web__port=2\n"
        "NEWSLETTER_SMTP__TIMEOUT=y\nQQQ=x\nNEWSLETTER_SMTP__PORT=x\n"
    )
    monkeypatch.setenv("NEWSLETTER_LOG__LEVEL", "loud")
    assert mistakes(env_file) == [
        f"{env_file}:3: NEWSLETTER_SMPT__HOST: unknown setting: did you mean NEWSLETTER_SMTP__HOST?",
        f"{env_file}:7: NEWSLETTER_WEB__PORT: is set a second time: remove one of the two",
        f"{env_file}:8: NEWSLETTER_SMTP__TIMEOUT: write a number",
        f"{env_file}:9: QQQ: unknown setting: remove it; .env.example names all",
        f"{env_file}:10: NEWSLETTER_SMTP__PORT: write a whole number",
        "NEWSLETTER_LOG__LEVEL: write debug, info, warning or error",
    ]


@pytest.mark.parametrize("line", [f'"{CANARY}', "NEWSLETTER_SMTP__HOST", f"NEWSLETTER_SMTP__PASSWORD='{CANARY}"])
def test_a_line_that_cannot_be_read_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"NEWSLETTER_WEB__PORT=1\n\n{line}\n")
    expected = "write NAME=value, with quotes around a value with spaces or #"
    assert mistakes(env_file) == [f"{env_file}:3: {expected}"]


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    (tmp_path / "latin").write_bytes(b"NEWSLETTER_SMTP__HOST=\xe9")
    assert mistakes(tmp_path / ".env") == [f"{tmp_path}/.env: cannot be read: Is a directory"]
    assert mistakes(tmp_path / "latin") == [f"{tmp_path}/latin: cannot be read: it is not UTF-8 text"]


@pytest.mark.parametrize("name", variables())
def test_no_value_is_ever_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for value in (CANARY, f'[{{"host": "{CANARY}", "password": "{CANARY}", "port": "{CANARY}"}}]', f"[{CANARY}"):
        monkeypatch.setenv(name, value)
        assert CANARY not in error_shown()


def test_secrets_do_not_show_in_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SMTP__USERNAME", "papers")
    monkeypatch.setenv("NEWSLETTER_SMTP__RELAYS", f'[{{"host": "b", "username": "u", "password": "{CANARY}"}}]')
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", f"postgresql://papers:{CANARY}@db.example.org/papers")
    for name in ("SMTP__PASSWORD", "WEB__SECRET_KEY", "WEB__ADMIN_TOKEN"):
        monkeypatch.setenv(f"NEWSLETTER_{name}", 3 * CANARY)
    settings = load(None)
    assert settings.web.secret_key.get_secret_value() == 3 * CANARY
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_a_token_that_can_be_guessed_opens_no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_WEB__ADMIN_TOKEN", "hunter2")
    shown = error_shown()
    assert "NEWSLETTER_WEB__ADMIN_TOKEN" in shown
    assert "openssl rand -base64 32" in shown
    assert "hunter2" not in shown


def test_operators_come_from_this_machine_unless_networks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [str(one) for one in load(None).web.admin_networks] == ["127.0.0.0/8", "::1/128"]
    monkeypatch.setenv("NEWSLETTER_WEB__ADMIN_NETWORKS", "10.0.0.0/8, 192.0.2.7")
    assert [str(one) for one in load(None).web.admin_networks] == ["10.0.0.0/8", "192.0.2.7/32"]

"""What an operator may say of the model that writes summaries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.settings import load
from newsletter.settings.summaries import SummarySettings

KEY = "sk-hunter2"
URL = "https://api.example.org/v1"


def having(monkeypatch: pytest.MonkeyPatch, **values: str) -> SummarySettings:
    for name, value in values.items():
        monkeypatch.setenv(f"NEWSLETTER_SUMMARIES__{name}", value)
    return load(None).summaries


def mistake(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """Return what is said of wrong settings, which is one line without any key."""
    with pytest.raises(ConfigurationError) as caught:
        having(monkeypatch, **values)
    said = str(caught.value)
    assert "hunter2" not in said
    assert "\n" not in said
    return said


def test_no_model_is_asked_unless_one_is_named() -> None:
    of = load(None).summaries
    assert (of.url, of.model, of.key.get_secret_value(), of.extra) == ("", "", "", {})
    assert (of.timeout, of.concurrency, of.per_day) == (30, 4, 500)


def test_all_of_it_is_read_and_the_key_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    of = having(
        monkeypatch,
        URL=f"{URL}/",
        KEY=KEY,
        MODEL=" gpt-5-mini ",
        TIMEOUT="12.5",
        CONCURRENCY="2",
        PER_DAY="0",
        EXTRA='{"temperature": 0, "options": {"num_ctx": 8192}}',
    )
    assert (of.url, of.model, of.key.get_secret_value()) == (URL, "gpt-5-mini", KEY)
    assert (of.timeout, of.concurrency, of.per_day) == (12.5, 2, 0)
    assert of.extra == {"temperature": 0, "options": {"num_ctx": 8192}}
    assert KEY not in repr(load(None))


def test_the_key_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    of = having(monkeypatch, URL=URL, MODEL="m", KEY_FILE=str(tmp_path / "key"))
    assert of.key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"{URL}/chat/completions", URL),
        (f"{URL}/chat/completions/", URL),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("http://localhost:11434/v1/", "http://localhost:11434/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://192.168.1.20:8000/v1", "http://192.168.1.20:8000/v1"),
        ("http://ollama:11434/v1", "http://ollama:11434/v1"),
        ("http://host.docker.internal:11434/v1", "http://host.docker.internal:11434/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
    ],
)
def test_the_address_is_that_before_the_method(monkeypatch: pytest.MonkeyPatch, written: str, read: str) -> None:
    assert having(monkeypatch, URL=written, MODEL="m").url == read


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("api.example.org/v1", "write an address that begins with https://"),
        ("ftp://api.example.org", "write an address that begins with https://"),
        ("http://api.example.org/v1", "would send papers and key in the clear: write an address that begins with"),
        ("http://8.8.8.8/v1", "would send papers and key in the clear"),
        ("http://api.example.org./v1", "would send papers and key in the clear"),
        (
            "https://hunter2@api.example.org/v1",
            "holds a user name or password: write it without, and a key as key",
        ),
        ("https://api.example.org/v1?key=hunter2", "without ? and #"),
        ("https://api.example.org:0/v1", "its port is no number"),
        ("https://api.example.org/v 1", "holds a space"),
        ("https://", "write an address that begins with https://"),
    ],
)
def test_an_address_that_is_none_is_a_mistake(monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    found = mistake(monkeypatch, URL=url, MODEL="m", KEY="sk-hunter2-too")
    assert found.startswith("NEWSLETTER_SUMMARIES__URL: ")
    assert said in found


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (f"Bearer {KEY}", "write the key alone, without Bearer before it"),
        (f"{KEY} {KEY}", "holds a space"),
        (f"{KEY}\r\nX-Other: 1", "holds a space or another character that no key has"),
        (f"{KEY}ü", "holds a space or another character that no key has"),
        (KEY * 1000, "is longer than 4,096 characters"),
    ],
)
def test_a_key_that_cannot_stand_in_a_header_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    found = mistake(monkeypatch, URL=URL, MODEL="m", KEY=key)
    assert found.startswith("NEWSLETTER_SUMMARIES__KEY: ")
    assert said in found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"URL": URL}, "is missing: write the name of the model that url is to be asked for"),
        ({"MODEL": "m"}, "of no use without url: set url as well, or remove them"),
        ({"KEY": KEY}, "of no use without url: set url as well, or remove them"),
        ({"URL": URL, "MODEL": "a\tb"}, "is no name of a model"),
        ({"URL": URL, "MODEL": "m" * 300}, "is no name of a model"),
    ],
)
def test_address_and_model_go_together(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], said: str) -> None:
    found = mistake(monkeypatch, **values)
    assert found.startswith("NEWSLETTER_SUMMARIES__MODEL: ")
    assert said in found


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('{"messages": []}', "remove messages: the program says it itself"),
        ('{"model": "other"}', "remove model: the program says it itself"),
        ('{"stream": true}', "remove stream: the program says it itself"),
        ('{"tools": []}', "remove tools: the program reads one plain text"),
        ('{"n": 3}', "remove n: the program reads one plain text"),
        ('{"temperature": NaN}', "holds NaN or Infinity"),
        ('{"a": 1, "a": 2}', "names a twice"),
        ("[1]", "write an object in curly brackets"),
        ("temperature=0", "is not JSON"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_would_break_requests_is_not_added(monkeypatch: pytest.MonkeyPatch, extra: str, said: str) -> None:
    found = mistake(monkeypatch, URL=URL, MODEL="m", EXTRA=extra)
    assert found.startswith("NEWSLETTER_SUMMARIES__EXTRA: ")
    assert said in found


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TIMEOUT", "0", "above 0"),
        ("TIMEOUT", "3600", "at most 600"),
        ("TIMEOUT", "30s", "write a number"),
        ("CONCURRENCY", "0", "at least 1"),
        ("CONCURRENCY", "33", "at most 32"),
        ("PER_DAY", "-1", "at least 0"),
    ],
)
def test_numbers_have_limits(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    assert said in mistake(monkeypatch, **{name: value})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("API_KEY", "KEY"),
        ("TOKEN", "KEY"),
        ("SECRET", "KEY"),
        ("BASE_URL", "URL"),
        ("API_BASE", "URL"),
        ("ENDPOINT", "URL"),
        ("HOST", "URL"),
        ("MODEL_NAME", "MODEL"),
    ],
)
def test_names_of_other_programs_are_unknown_and_lead_to_ours(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    assert mistake(monkeypatch, **{written: "hunter2"}) == (
        f"NEWSLETTER_SUMMARIES__{written}: unknown setting: did you mean NEWSLETTER_SUMMARIES__{meant}?"
    )


def test_the_variables_of_other_programs_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OLLAMA_HOST", "SUMMARIES__KEY"):
        monkeypatch.setenv(name, KEY)
    assert load(None) == load(None).model_copy(update={"summaries": SummarySettings()})


def test_what_is_added_may_stand_in_the_settings_file(tmp_path: Path) -> None:
    more = {"reasoning_effort": "low"}
    env_file = tmp_path / ".env"
    env_file.write_text(
        f"NEWSLETTER_SUMMARIES__URL={URL}\nNEWSLETTER_SUMMARIES__MODEL=m\n"
        f"NEWSLETTER_SUMMARIES__EXTRA='{json.dumps(more)}'\n"
    )
    assert load(env_file).summaries.extra == more

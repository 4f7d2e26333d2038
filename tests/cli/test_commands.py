"""Commands that end before they do any work: wrong folders, days, addresses, settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from newsletter.bootstrap import packaged_templates
from newsletter.cli.examples import EXAMPLES
from tests.cli.conftest import LIST, READER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Call

COMMANDS = (
    *(
        "run",
        "run --dry-run",
        "run --date 2026-03-12",
        "collect",
        "status",
        "serve",
        "web",
        "preview",
        "lint",
        "db upgrade",
    ),
    *("issues list", "issues show --list daily", "deliveries list", "deliveries retry", "deliveries release"),
    *("deliveries slow-downs", "render --list daily", "send --list daily --to a@example.org", "lists check"),
    "backtest --list daily --from 2026-03-01 --to 2026-03-02",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_in_the_wrong_folder_a_command_writes_nothing_and_says_where_it_looked(
    call: Call, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*command.split())
    assert (code, out) == (78, "")
    assert f"{tmp_path}/subscribers" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["run", "status", "db upgrade", "serve"])
def test_a_folder_of_that_name_without_list_files_is_the_wrong_one_too(
    call: Call, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "people.csv").write_text("email\n")
    code, _, err = call(*command.split())
    assert code == 78
    assert f"{tmp_path}/subscribers" in err
    assert [one.name for one in tmp_path.iterdir()] == ["subscribers"]


@pytest.mark.parametrize(
    "words",
    [
        ("--dir", "{}", "suppressions", "add", "ann@lab.example"),
        ("suppressions", "add", "ann@lab.example", "--dir", "{}"),
        ("suppressions", "--dir={}", "add", "ann@lab.example"),
        ("suppressions", "add", "--dir", "{}", "ann@lab.example"),
    ],
)
def test_a_command_works_in_another_folder(
    call: Call, folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, _, err = call(*(word.format(folder) for word in words))
    assert code == 0, err
    assert (folder / "var" / "newsletter.db").exists()
    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_is_not_there_is_wrong_usage(call: Call, folder: Path) -> None:
    code, _, err = call("run", "--dir", "nowhere")
    assert code == 2
    assert "nowhere: No such file or directory" in err
    assert not (folder / "var").exists()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "today", "20260312", "2026-02-30"])
@pytest.mark.parametrize(
    "command",
    [
        *("run --date", "collect --date", "render --list daily --date", "send --list daily --to a@example.org -d"),
        *("lint --date", "preview --date", "issues show --list daily --date", "deliveries list --date"),
        *("deliveries retry --date", "deliveries release -d", "backtest --from", "backtest --to"),
    ],
)
def test_a_day_that_is_none_is_wrong_usage_in_every_command(
    call: Call, folder: Path, command: str, day: str
) -> None:
    code, out, err = call(*command.split(), day)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert day in err
    assert not (folder / "var").exists()


@pytest.mark.parametrize(
    "command",
    [
        *("collect", "lint", "render --list daily", "send --list daily --to ann@lab.example", "subscribers apply"),
        *("subscribers add --list daily ann@lab.example", "suppressions add ann@lab.example", "inbound process"),
    ],
)
def test_where_no_list_file_is_right_nothing_is_begun(call: Call, folder: Path, command: str) -> None:
    for path in (folder / "subscribers").glob("*.toml"):
        path.write_text("zone = 1\n")
    code, out, err = call(*command.split())
    assert (code, out) == (78, ""), err
    assert ".toml:1: " in err
    assert not (folder / "var").exists()


@pytest.mark.parametrize("is_right", [False, True], ids=["wrong", "right"])
@pytest.mark.parametrize(
    "command",
    [
        *("status", "issues list", "deliveries list", "deliveries slow-downs", "subscribers list"),
        *("subscribers export --list daily", "subscribers show ann@lab.example", "suppressions list"),
        *("suppressions export", "lists check", "lint", "render --list daily"),
    ],
)
def test_who_only_looks_begins_no_ledger(call: Call, folder: Path, command: str, *, is_right: bool) -> None:
    if not is_right:
        for path in (folder / "subscribers").glob("*.toml"):
            path.write_text("zone = 1\n")
    code, _, err = call(*command.split())
    assert code in {0, 1, 2, 69, 78}, err
    assert "Traceback" not in err
    assert not (folder / "var").exists()


@pytest.mark.parametrize("address", ["notanaddress", "a@b@c", "", "Ann <ann@lab.example>", "ann@"])
def test_the_address_of_a_test_copy_is_looked_at_first(call: Call, folder: Path, address: str) -> None:
    code, _, err = call("send", "--list", "daily", "--to", address)
    assert code == 2
    assert "is not a mail address" in err
    assert not (folder / "var").exists()


@pytest.mark.parametrize("command", ["send --list daily --to a@example.org", "render --list daily", "preview"])
def test_the_address_of_a_reader_to_look_as_is_looked_at_first(call: Call, folder: Path, command: str) -> None:
    code, _, err = call(*command.split(), "--subscriber", "notanaddress")
    assert code == 2
    assert "'--subscriber': 'notanaddress' is not a mail address" in err
    assert not (folder / "var").exists()


def test_where_there_is_nothing_new_there_is_nothing_to_lint_or_show(call: Call, folder: Path) -> None:
    (folder / "subscribers" / "papers-2026-03-11.jsonl").write_text("")
    code, out, _ = call("lint", "--date", "2026-03-12")
    assert code == 0
    assert "nothing new on 2026-03-12" in out
    for command in ("render --list daily --date 2026-03-12", "send --list daily --to a@example.org -d 2026-03-12"):
        code, out, err = call(*command.split())
        assert (code, out) == (1, "")
        assert "nothing new on 2026-03-12" in err


def test_lists_check_warns_of_a_list_without_readers_and_of_files_that_are_not_there(
    call: Call, folder: Path
) -> None:
    missing = folder / "subscribers" / "papers-*.jsonl"
    code, out, err = call("lists", "check")
    assert (code, out) == (0, "daily: fine, 0 subscribers\n")
    assert err.splitlines() == [
        "warning: subscribers/daily.toml:1: names no subscriber: there is no issue until somebody is on the list",
        f"warning: subscribers/daily.toml:4: source 'jsonl:papers-*.jsonl': no file matches {missing}",
    ]
    (folder / "subscribers" / "daily.toml").write_text(LIST + READER)
    (folder / "subscribers" / "papers-2026-03-12.jsonl").write_text("")
    assert call("lists", "check") == (0, "daily: fine, 1 subscriber\n", "")


def test_lists_check_and_the_doctor_warn_of_templates_that_nothing_uses(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "subscribers" / "papers-2026-03-12.jsonl").write_text("")
    (folder / "subscribers" / "daily.toml").write_text(LIST + READER)
    (folder / "templates" / "dayly").mkdir(parents=True)
    (folder / "templates" / "dayly" / "body.html").touch()
    unused = "templates/dayly: no mail and no page uses this folder"
    assert call("lists", "check")[2] == f"warning: {unused}: rename it to daily, or remove it\n"
    assert f"warn  templates    {unused}; to do: rename it to daily" in call("doctor")[1]
    monkeypatch.setenv("NEWSLETTER_PATHS__TEMPLATES", "mine")
    absent = "warning: NEWSLETTER_PATHS__TEMPLATES: there is no folder mine"
    assert call("lists", "check")[2].startswith(absent)


def test_lists_check_counts_mistakes(call: Call, folder: Path) -> None:
    (folder / "subscribers" / "daily.toml").write_text(LIST + "hour = 8\nzone = 'x'\n")
    code, _, err = call("lists", "check")
    assert code == 1
    assert err.splitlines()[-1] == "2 mistakes: nothing is applied"


@pytest.mark.parametrize("url", ["http://localhost:8000", "https://10.0.0.7", "http://papers.example.org"])
def test_pages_that_readers_cannot_reach_are_a_mistake_unless_the_relay_is_on_this_machine(
    call: Call, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "subscribers" / "daily.toml").write_text((LIST + READER).replace("example.org", "lab.example"))
    monkeypatch.setenv("NEWSLETTER_WEB__PUBLIC_URL", url)
    code, _, err = call("lists", "check")
    assert code == 0
    assert "warning: NEWSLETTER_WEB__PUBLIC_URL: " in err
    monkeypatch.setenv("NEWSLETTER_SMTP__HOST", "mail.example.org")
    code, _, err = call("lists", "check")
    assert code == 1
    assert err.startswith("NEWSLETTER_WEB__PUBLIC_URL: ")
    monkeypatch.setenv("NEWSLETTER_WEB__PUBLIC_URL", "")
    assert call("lists", "check")[0] == 0


@pytest.mark.parametrize("command", EXAMPLES)
def test_each_help_has_an_example(call: Call, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = call(command, "--help")
    assert code == 0
    assert set(EXAMPLES[command]) <= {line.strip() for line in out.splitlines()}


def test_an_empty_key_is_named_and_nothing_runs(call: Call, folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "secret_key").touch()
    for command in ("run", "serve", "status"):
        code, _, err = call(command)
        assert code == 78
        assert "var/secret_key: is empty" in err


@pytest.mark.parametrize("rest", ["app:Wr0ng@Secret@127.0.0.1/x", "app:pa@ss:Wr0ng@127.0.0.1/x"])
def test_a_password_with_signs_is_never_shown_in_pieces(
    call: Call, folder: Path, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", f"postgresql://{rest}")
    for command in ("run", "status", "db upgrade", "lists check"):
        code, _, err = call(*command.split())
        assert code == 78
        assert "@ of the password as %40, a colon as %3A" in err
        assert not any(piece in err for piece in ("Wr0ng", "Secret", "ss:", "127.0.0.1"))
    _, out, _ = call("doctor", "--json")
    assert '"NEWSLETTER_DATABASE__URL: cannot be read"' in out
    assert '"write postgresql://user:password@host:port/name, and write @ of the password' in out


def test_an_issue_is_linted_in_every_language_that_readers_want(call: Call, folder: Path) -> None:
    paper = {"title": "Agents that plan", "abstract": "We study it.", "url": "https://example.org/1"}
    (folder / "subscribers" / "papers-2026-03-11.jsonl").write_text(json.dumps(paper) + "\n")
    reader = '\n[[subscribers]]\nemail = "ann@lab.example"\nlanguage = "de"\n'
    (folder / "subscribers" / "daily.toml").write_text(LIST + reader)
    template = folder / "templates" / "_base" / "mail.html"
    template.parent.mkdir(parents=True)
    page = (packaged_templates() / "_base" / "mail.html").read_text()
    template.write_text(page.replace("</body>", '{% if language == "de" %}<a href="">?</a>{% endif %}</body>'))
    assert call("subscribers", "apply")[0] == 0

    code, out, _ = call("lint", "--date", "2026-03-11", "--json")

    [found] = json.loads(out)
    german = [one for one in found["findings"] if one["where"].startswith("de: ")]
    assert (code, [one["level"] for one in german]) == (1, ["failure"])

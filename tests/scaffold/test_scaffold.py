from __future__ import annotations

import os
import shutil
from email.utils import parseaddr
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import newsletter
from newsletter.core.errors import UsageError
from newsletter.lists.files import ListFiles
from newsletter.scaffold import LOGIN, questions, scaffold
from newsletter.settings import load
from tests import examples
from tests.rosters import named_by

FILES = [".env", "subscribers/daily.toml", ".gitignore"]
EXAMPLES = {one.key: one.default for one in questions()}


def test_a_new_folder_has_settings_and_a_list_that_work(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    assert scaffold(folder, EXAMPLES) == [f"wrote {folder / name}" for name in FILES]
    defaults, settings = load(None), load(folder / ".env")
    assert settings.model_copy(update={"web": defaults.web}) == defaults
    assert list(ListFiles(folder / "subscribers", check_source=lambda _: "").load()) == ["daily"]
    assert ".env" in (folder / ".gitignore").read_text().splitlines()


def test_the_settings_are_private_and_hold_a_key_of_their_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        scaffold(tmp_path / name, EXAMPLES)
        assert (tmp_path / name / ".env").stat().st_mode & 0o777 == 0o600
        keys.add(load(tmp_path / name / ".env").web.secret_key.get_secret_value())
    assert len(keys) == 2
    assert all(len(key) >= 43 for key in keys)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("mine")
    (tmp_path / ".gitignore").symlink_to(tmp_path / "elsewhere")
    first = scaffold(tmp_path, EXAMPLES)
    assert f"kept {tmp_path / '.env'}, which was there already" in first
    assert f"kept {tmp_path / '.gitignore'}, which is a link that leads nowhere" in first
    assert (tmp_path / ".env").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert all(line.startswith("kept ") for line in scaffold(tmp_path, EXAMPLES))


def test_the_workflow_is_written_on_request(tmp_path: Path) -> None:
    lines = scaffold(tmp_path, EXAMPLES, github_actions=True)
    assert lines[-1] == f"wrote {tmp_path}/.github/workflows/newsletter.yml"


# One line of text, without what a terminal or a mail would not show.
_LINES = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))


@hypothesis_settings(max_examples=examples.slow(20))  # each reads settings and a list anew
@given(
    st.fixed_dictionaries(
        {key: _LINES.filter(str.strip) for key in ("title", "postal_address", "username", "password")}
    )
)
def test_answers_come_back_as_they_were_given(said: dict[str, str]) -> None:
    answers = EXAMPLES | {"sender": "papers@lab.example", "reader": "ann@lab.example", "host": "mail.lab.example"}
    for question in (*questions(), *LOGIN):
        if question.key in said:
            try:
                answers[question.key] = question.read(said[question.key])
            except ValueError:
                assume(False)
    with TemporaryDirectory() as folder:
        scaffold(Path(folder), answers)
        smtp = load(Path(folder) / ".env").smtp
        file = ListFiles(Path(folder) / "subscribers", check_source=lambda _: "").load()["daily"]
    masthead = file.list.masthead
    assert (masthead.title, masthead.postal_address) == (answers["title"], answers["postal_address"])
    assert parseaddr(masthead.sender)[1] == "papers@lab.example"
    assert [reader.email for reader in named_by(file)] == ["ann@lab.example"]
    assert (smtp.host, smtp.username, smtp.password.get_secret_value()) == (
        *("mail.lab.example", answers["username"]),
        answers["password"],
    )


@pytest.mark.parametrize(("zone", "is_taken"), [("Asia/Tokyo", True), (":Europe/Berlin", True), ("Mars", False)])
def test_the_timezone_of_the_machine_is_offered(
    zone: str, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    [offered] = [one.default for one in questions() if one.key == "timezone"]
    assert offered == (zone.removeprefix(":") if is_taken else "UTC")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file/\.env: cannot be written: "):
        scaffold(tmp_path / "file", EXAMPLES)


def test_an_installed_package_brings_its_own_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "newsletter"
    shutil.copytree(Path(newsletter.__file__).parent / "scaffold", package / "scaffold")
    (package / "_scaffold").mkdir()
    (package / "_scaffold" / "env.example").write_text("# packaged\nNEWSLETTER_WEB__SECRET_KEY=\n")
    (package / "_scaffold" / "daily.toml").write_text("# packaged\n")
    monkeypatch.setattr(
        "newsletter.scaffold.folder.files", lambda name: tmp_path / "site-packages" / name.replace(".", os.sep)
    )
    scaffold(tmp_path / "papers", EXAMPLES)
    assert (tmp_path / "papers" / ".env").read_text().startswith("# packaged\nNEWSLETTER_WEB__SECRET_KEY=")
    assert (tmp_path / "papers" / "subscribers" / "daily.toml").read_text() == "# packaged\n"

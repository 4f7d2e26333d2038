from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import newsletter
from newsletter.core.errors import UsageError
from newsletter.lists.files import ListFiles
from newsletter.scaffold import scaffold
from newsletter.settings import load

FILES = [".env", "subscribers/daily.toml", ".gitignore", ".github/workflows/newsletter.yml"]


def test_a_new_folder_has_settings_and_a_list_that_work(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    assert scaffold(folder) == [f"wrote {folder / name}" for name in FILES]
    defaults, settings = load(None), load(folder / ".env")
    assert settings.model_copy(update={"web": defaults.web}) == defaults
    assert list(ListFiles(folder / "subscribers", check_source=lambda _: "").load()) == ["daily"]
    assert ".env" in (folder / ".gitignore").read_text().splitlines()


def test_the_settings_are_private_and_hold_a_key_of_their_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        scaffold(tmp_path / name)
        assert (tmp_path / name / ".env").stat().st_mode & 0o777 == 0o600
        keys.add(load(tmp_path / name / ".env").web.secret_key.get_secret_value())
    assert len(keys) == 2
    assert all(len(key) >= 43 for key in keys)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("mine")
    (tmp_path / ".gitignore").symlink_to(tmp_path / "elsewhere")
    first = scaffold(tmp_path)
    assert f"kept {tmp_path / '.env'}, which was there already" in first
    assert (tmp_path / ".env").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert all(line.startswith("kept ") for line in scaffold(tmp_path))


def test_templates_are_copied_on_request(tmp_path: Path) -> None:
    templates = tmp_path / "program" / "templates"
    (templates / "issue").mkdir(parents=True)
    (templates / "issue" / "body.html").write_text("<p>")
    lines = scaffold(tmp_path / "papers", templates=templates)
    assert lines[-1] == f"wrote {tmp_path}/papers/templates/issue/body.html"
    assert (tmp_path / "papers/templates/issue/body.html").read_text() == "<p>"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file/\.env: cannot be written: "):
        scaffold(tmp_path / "file")


def test_an_installed_package_brings_its_own_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "newsletter"
    shutil.copytree(Path(newsletter.__file__).parent / "scaffold", package / "scaffold")
    (package / "_scaffold").mkdir()
    (package / "_scaffold" / "env.example").write_text("# packaged\nNEWSLETTER_WEB__SECRET_KEY=\n")
    (package / "_scaffold" / "daily.toml").write_text("# packaged\n")
    monkeypatch.setattr(
        "newsletter.scaffold.folder.files", lambda name: tmp_path / "site-packages" / name.replace(".", os.sep)
    )
    scaffold(tmp_path / "papers")
    assert (tmp_path / "papers" / ".env").read_text().startswith("# packaged\nNEWSLETTER_WEB__SECRET_KEY=")
    assert (tmp_path / "papers" / "subscribers" / "daily.toml").read_text() == "# packaged\n"

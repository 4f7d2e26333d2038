"""Copies of templates, and what is said when their originals change."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import UsageError
from newsletter.scaffold import changed_originals, copy_templates


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    """Return a folder of the program's templates."""
    folder = tmp_path / "program"
    for name in ("daily/body.html", "daily/body.txt", "web/studio.js"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"first {name}")
    return folder


def test_what_an_operator_can_use_is_copied_in_one_line(tmp_path: Path, packaged: Path) -> None:
    own = tmp_path / "templates"
    assert copy_templates(own, packaged) == [f"wrote 2 templates into {own}"]
    assert (own / "daily" / "body.html").read_text() == "first daily/body.html"
    assert sorted(path.name for path in own.rglob("*") if path.is_file()) == [
        ".originals",
        "body.html",
        "body.txt",
    ]
    assert list(changed_originals(own, packaged)) == []


def test_a_copy_is_kept_and_a_changed_original_is_named_until_it_is_known(tmp_path: Path, packaged: Path) -> None:
    own = tmp_path / "templates"
    copy_templates(own, packaged)
    (own / "daily" / "body.html").write_text("mine")
    (packaged / "daily" / "body.html").write_text("second")
    (packaged / "daily" / "body.txt").unlink()
    html, text = changed_originals(own, packaged)
    assert html.startswith(f"{own}/daily/body.html: the program's own has changed since it was copied: ")
    assert str(packaged / "daily" / "body.html") in html
    assert text.startswith(f"{own}/daily/body.txt: the program no longer has it: ")
    told = html.removesuffix(", then say so by `newsletter init --templates`")
    assert copy_templates(own, packaged) == [f"wrote 0 templates into {own}, kept 1", told]
    assert (own / "daily" / "body.html").read_text() == "mine"
    assert list(changed_originals(own, packaged)) == []
    (packaged / "daily" / "body.html").write_text("third")
    assert [line for line in changed_originals(own, packaged) if "body.html" in line] == [html]
    (own / "daily" / "body.html").unlink()
    assert list(changed_originals(own, packaged)) == []


def test_a_copy_that_nobody_changed_is_renewed(tmp_path: Path, packaged: Path) -> None:
    own = tmp_path / "templates"
    copy_templates(own, packaged)
    for name in ("body.html", "body.txt"):
        (packaged / "daily" / name).write_text("second")
    [line] = changed_originals(own, packaged)
    assert line.startswith(f"{own}: copies of an older version that nobody changed: ")
    assert line.endswith("`newsletter init --templates` renews daily/body.html, daily/body.txt")
    assert copy_templates(own, packaged) == [f"wrote 2 templates into {own}"]
    assert (own / "daily" / "body.html").read_text() == "second"
    assert list(changed_originals(own, packaged)) == []


def test_a_copy_that_has_become_the_new_original_is_no_matter(tmp_path: Path, packaged: Path) -> None:
    own = tmp_path / "templates"
    copy_templates(own, packaged)
    for folder in (own, packaged):
        (folder / "daily" / "body.html").write_text("second")
    assert list(changed_originals(own, packaged)) == []


@pytest.mark.parametrize("note", [b"", b"\xff\n", b"abc\n", b"abc  ../outside\nabc  /etc/passwd\n", None])
def test_without_a_note_of_originals_nothing_is_said(tmp_path: Path, packaged: Path, note: bytes | None) -> None:
    own = tmp_path / "templates"
    copy_templates(own, packaged)
    (packaged / "daily" / "body.html").write_text("second")
    (own / ".originals").unlink()
    if note is not None:
        (own / ".originals").write_bytes(note)
    assert list(changed_originals(own, packaged)) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, packaged: Path) -> None:
    (tmp_path / "templates").write_text("")
    with pytest.raises(UsageError, match=r"templates/daily/body\.html: cannot be written: "):
        copy_templates(tmp_path / "templates", packaged)

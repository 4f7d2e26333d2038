"""Templates of the operator's that change nothing are named, with what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.bootstrap import packaged_templates
from newsletter.scaffold import copy_templates, unused_templates


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return the operator's folder, which replaces one template."""
    write(tmp_path / "own" / "daily" / "body.html", "{% extends '_base/mail.html' %}")
    return tmp_path / "own"


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def told(folder: Path, *, is_named: bool = False) -> list[str]:
    return list(unused_templates(folder, packaged_templates(), is_named=is_named))


def test_what_replaces_templates_or_is_copied_from_them_is_not_named(own: Path) -> None:
    assert told(own) == []
    copy_templates(own, packaged_templates())
    assert told(own) == []


def test_a_folder_that_is_not_there_is_named_if_a_setting_names_it(own: Path) -> None:
    absent = own / "absent"
    assert told(absent) == []
    [line] = told(absent, is_named=True)
    assert line.startswith(f"NEWSLETTER_PATHS__TEMPLATES: there is no folder {absent}")


def test_a_folder_that_no_mail_uses_is_named_once_with_what_may_be_meant(own: Path) -> None:
    write(own / "dayly" / "body.html")
    write(own / "dayly" / "body.txt")
    [line] = told(own)
    assert line == f"{own}/dayly: no mail and no page uses this folder: rename it to daily, or remove it"


def test_a_file_that_no_mail_uses_is_named_with_what_may_be_meant(own: Path) -> None:
    write(own / "daily" / "bodi.html")
    write(own / "body.html")
    top, inside = told(own)
    assert top.startswith(f"{own}/body.html: no mail and no page uses it: ")
    assert inside.startswith(f"{own}/daily/bodi.html: no mail and no page uses it: ")
    assert inside.endswith("rename it to daily/body.html, or remove it")


def test_what_another_template_takes_in_and_notes_of_the_operator_are_not_named(own: Path) -> None:
    write(own / "weekly" / "body.html", "{% include 'ours/logo.html' %} {{ static('brand.css') }}")
    write(own / "ours" / "logo.html")
    write(own / "web" / "brand.css")
    write(own / "README.md")
    write(own / "daily" / "body.html~")
    assert told(own) == []

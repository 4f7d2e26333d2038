"""`make lint` finds what nothing in the program uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USED = """
LIMIT = 3


class Shelf:
    def books(self) -> int:
        return LIMIT


def open_shelf() -> Shelf:
    return Shelf()
"""
START = "from shop.shelf import open_shelf\n\nprint(open_shelf().books())\n"


def check(
    folder: Path, shelf: str, allowed: str = "shop.__main__  python -m\n"
) -> subprocess.CompletedProcess[str]:
    """Run the check over a package of two modules, one of which is run."""
    package, templates = folder / "shop", folder / "templates"
    package.mkdir()
    templates.mkdir()
    (package / "__main__.py").write_text(START)
    (package / "shelf.py").write_text(shelf)
    (templates / "page.html").write_text("<p>{{ shelf.in_a_template }}</p>")
    (folder / "allowed").write_text(allowed)
    return subprocess.run(
        [sys.executable, ROOT / ".ci/unused.py", package, templates, folder / "allowed"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_whose_every_part_is_used_passes(tmp_path: Path) -> None:
    found = check(tmp_path, USED)
    assert (found.returncode, found.stdout) == (0, "all is used\n")


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        ("def close_shelf() -> None:\n    pass\n", "close_shelf"),
        ("class Board:\n    pass\n", "Board"),
        ("class Wide(Shelf):\n    def depth(self) -> int:\n        return 1\n\nprint(Wide())\n", "depth"),
        ("WIDTH = 9\n", "WIDTH"),
        ("def again(times: int) -> None:\n    if times:\n        again(times - 1)\n", "again"),
        ("async def _wait() -> None:\n    pass\n", "_wait"),
    ],
)
def test_what_nothing_uses_is_found(tmp_path: Path, planted: str, name: str) -> None:
    found = check(tmp_path, USED + planted)
    assert found.returncode == 1
    assert found.stdout.endswith(f": nothing uses {name}\n")
    assert len(found.stdout.splitlines()) == 1


def test_a_module_that_nothing_imports_is_found(tmp_path: Path) -> None:
    found = check(tmp_path, USED, allowed="")
    assert (found.returncode, found.stdout.count("nothing uses")) == (1, 1)
    assert found.stdout.endswith("nothing uses shop.__main__\n")


@pytest.mark.parametrize(
    "used",
    [
        "class Page:\n    def in_a_template(self) -> int:\n        return 1\n\nprint(Page())\n",
        "@app.command('x')\ndef run_it() -> None:\n    pass\n",
        "class X(IO):\n    @override\n    def seekable(self) -> bool:\n        return False\n\nX()\n",
    ],
)
def test_templates_and_libraries_use_things_too(tmp_path: Path, used: str) -> None:
    assert check(tmp_path, USED + used).stdout == "all is used\n"


def test_what_is_allowed_needs_a_reason_and_must_be_unused(tmp_path: Path) -> None:
    found = check(tmp_path, USED, allowed="shop.__main__\nbooks  for later\n")
    assert found.returncode == 1
    assert "books is used, or gone" in found.stdout
    assert "shop.__main__ has no reason" in found.stdout

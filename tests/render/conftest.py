from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.render.issue.renderer import TemplateRenderer

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def renderer() -> TemplateRenderer:
    return TemplateRenderer(None, TEMPLATES)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare text with a golden copy; `UPDATE_GOLDEN=1` writes the copies anew, for review."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; UPDATE_GOLDEN=1 writes it anew"

    return compare

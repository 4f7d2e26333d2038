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
def golden() -> Callable[[str, str], str]:
    """Return the golden copy of a name; `UPDATE_GOLDEN=1` writes the given text as the new copy, for review."""

    def copy_of(name: str, text: str) -> str:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path.read_text(encoding="utf-8")

    return copy_of

"""Templates that are compiled once in this process, and not by each renderer that a test makes.

A renderer of the program lives long; most tests make one of their own, and its templates take a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from jinja2 import Environment

from newsletter.render.issue.environment import compiler
from newsletter.render.issue.renderer import TemplateRenderer


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Let the tests of this process compile each template once."""
    with shared_templates():
        yield


@contextmanager
def shared_templates() -> Iterator[None]:
    """Let renderers share what the same source was compiled to, but for those that compile in another way."""
    shared = compiler()
    shared.compile = cache(shared.compile)  # type: ignore[method-assign,assignment]

    def compile_once(renderer: TemplateRenderer) -> Environment:
        return shared if type(renderer) is TemplateRenderer else compiler()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TemplateRenderer, "_compiler", compile_once)
        yield

"""Templates that are compiled once in this process, and not by each renderer that a test makes.

A renderer of the program lives long; most tests make one of their own, and its templates take a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jinja2 import Environment
from jinja2.ext import InternationalizationExtension

_WORDS = InternationalizationExtension.identifier


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Let renderers of one language share what the same source was compiled to.

    What filters make of a constant is compiled, too, and may depend on the language.
    """
    known: dict[tuple[object, ...], Any] = {}
    compiled = Environment.compile

    def compile_once(environment: Environment, source: Any, *place: Any, **options: Any) -> Any:
        language, changing = environment.globals.get("frame"), environment.extensions.keys() - {_WORDS}
        if language is None or changing or not isinstance(source, str):
            return compiled(environment, source, *place, **options)
        key = (getattr(language, "tag", None), source, place, *options.items())
        if key not in known:
            known[key] = compiled(environment, source, *place, **options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", compile_once)
        yield

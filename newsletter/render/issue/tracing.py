"""Templates whose elements say where they stand: each start tag has an attribute with its template and line.

What is rendered by them has the same elements as the mail in the same order. So an element of the mail leads back
to the line of the template that wrote it. Such a page is never sent.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension
from typing_extensions import override

from newsletter.render.issue.renderer import TemplateRenderer

_ATTRIBUTE = "data-line-of"
_WRITTEN = re.compile(rf' {_ATTRIBUTE}="\d+"')
# What Jinja reads is skipped: comments, statements and expressions may hold what looks like a tag.
_TAG = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|(<(?!style\b|script\b)[a-z][a-z0-9]*)", re.DOTALL)


class TracedTemplates(TemplateRenderer):
    """The same templates with an attribute in each start tag; takes what `TemplateRenderer` takes."""

    def __init__(self, own_folder: Path | None, packaged_folder: Path) -> None:
        self._lines: list[str] = []  # template and line, by the number in the attribute
        super().__init__(own_folder, packaged_folder)

    def line_of(self, element: Any) -> str:
        """Return `template:line` of an element of a traced page (lxml); nothing where no template wrote it.

        What the program wrote within an element counts as that element.
        """
        while element is not None:
            if number := element.get(_ATTRIBUTE):
                return self._lines[int(number)]
            element = element.getparent()
        return ""

    @override
    def _compiler(self) -> Environment:
        made = super()._compiler()
        made.add_extension(_Tracing)
        made.globals[_Tracing.lines] = self._lines
        return made


def untraced(html: str) -> str:
    """Return a traced page without the attributes: what it would be by the templates themselves."""
    return _WRITTEN.sub("", html)


class _Tracing(Extension):
    """Writes the attributes before Jinja reads a template; the lines stay where they are."""

    lines = "lines of templates"  # no name of a variable, so that no template can mean it

    @override
    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if not (filename or "").endswith(".html"):
            return source
        lines: list[str] = self.environment.globals[self.lines]  # type: ignore[assignment]

        def traced(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0]
            lines.append(f"{filename}:{source.count(chr(10), 0, match.start()) + 1}")
            return f'{match[1]} {_ATTRIBUTE}="{len(lines) - 1}"'

        return _TAG.sub(traced, source)

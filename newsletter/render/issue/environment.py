"""What templates are rendered with (Jinja2): the filters, and the words of one language.

Templates say their texts by `_("…")` and `ngettext("…", "…", number)`; what no catalogue has is shown as it is.

Compiling the templates of a mail takes longer than rendering it. So they are compiled once for all languages, by
an environment of its own. It makes loops and operators count what they take (`bounds`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from gettext import NullTranslations
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, nodes, select_autoescape
from jinja2.compiler import CodeGenerator, Frame
from typing_extensions import override

from newsletter.ports.page_files import PageFiles
from newsletter.render.issue import words
from newsletter.render.issue.bounds import BOUNDING, BoundingTransformer, joined, short_lipsum, short_range
from newsletter.render.issue.clauses import cut
from newsletter.render.issue.language import Language

# Filters of a language: its methods.
_OF_LANGUAGE = (
    "long_date",
    "short_date",
    "medium_date",
    "weekday_date",
    "weekday",
    "tab_date",
    "month",
    "compact",
)
_COUNTED = "counted"

# Takes the text, the name and the file of a template, and returns its code; raises TemplateSyntaxError.
Compile = Callable[[str, str | None, str | None], CodeType]


class _BoundingGenerator(CodeGenerator):
    """Generates code in which operators and loops count what they take."""

    @override
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        super().visit_Template(BoundingTransformer().visit(node), frame)


class _Compiling(Environment):
    code_generator_class = _BoundingGenerator


class _InLanguage(Environment):
    """Renders templates in one language from the code that `compiled` returns."""

    concat = staticmethod(joined)

    def __init__(self, compiled: Compile, **options: Any) -> None:
        super().__init__(**options)
        self._compiled = compiled

    @override
    def compile(
        self, source: Any, name: str | None = None, filename: str | None = None, *_: Any, **__: Any
    ) -> Any:
        return self._compiled(source, name, filename)


def environment(loader: BaseLoader, language: Language, files: PageFiles, compiled: Compile) -> Environment:
    """Return what the templates of a loader are rendered with in a language.

    Args:
        loader: finds the templates.
        language: the language.
        files: what pages load.
        compiled: compiles a template: `compiler().compile`, or what keeps its results.
    """
    made = _InLanguage(compiled, loader=loader, **_options())
    made.install_gettext_translations(language.words, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    made.globals["frame"] = language
    made.globals["static"] = files.name
    made.globals["range"] = short_range
    made.globals["lipsum"] = short_lipsum
    made.filters.update(_filters())
    made.filters.update({name: getattr(language, name) for name in _OF_LANGUAGE})
    made.filters[_COUNTED] = partial(words.counted, language)
    return made


def compiler() -> Environment:
    """Return what compiles templates to code that is the same in all languages."""
    made = _Compiling(**_options())
    made.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(_filters())
    made.filters.update(dict.fromkeys((*_OF_LANGUAGE, _COUNTED), _in_no_language))
    return made


def _in_no_language(*_: object) -> str:
    """Stand for a filter of a language: where Jinja wants its value of a constant, it is left to the rendering."""
    raise LookupError("only the rendering knows the language")


def _options() -> dict[str, Any]:
    return {
        "undefined": StrictUndefined,
        "autoescape": select_autoescape(["html"]),
        "trim_blocks": True,
        "lstrip_blocks": True,
        "extensions": ["jinja2.ext.i18n"],
    }


def _filters() -> dict[str, Callable[..., Any]]:
    """Return the filters that are the same in all languages."""
    return {
        "cut": cut,
        "rule": words.rule,
        "beside": words.beside,
        "unbroken": words.unbroken,
        "wrapped": words.wrapped,
        "isolated": words.isolated,
        **BOUNDING,
    }

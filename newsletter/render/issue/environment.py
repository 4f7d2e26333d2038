"""What templates are rendered with (Jinja2): the filters, and the words of one language.

Templates say their texts by `_("…")` and `ngettext("…", "…", number)`; what no catalogue has is shown as it is.

Compiling the templates of a mail takes longer than rendering it. So they are compiled once for all languages, by
an environment of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from gettext import NullTranslations
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, select_autoescape
from typing_extensions import override

from newsletter.ports.page_files import PageFiles
from newsletter.render.issue import words
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
_LONGEST_RANGE = 10_000

# Takes the text, the name and the file of a template, and returns its code; raises TemplateSyntaxError.
Compile = Callable[[str, str | None, str | None], CodeType]


class _InLanguage(Environment):
    """Renders templates in one language from the code that `compiled` returns."""

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
    made.globals["range"] = _short_range
    made.filters.update(_filters())
    made.filters.update({name: getattr(language, name) for name in _OF_LANGUAGE})
    made.filters[_COUNTED] = partial(words.counted, language)
    return made


def compiler() -> Environment:
    """Return what compiles templates to code that is the same in all languages."""
    made = Environment(**_options())  # noqa: S701 -- escaping is among the options
    made.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(_filters())
    made.filters.update(dict.fromkeys((*_OF_LANGUAGE, _COUNTED), _in_no_language))
    return made


def _short_range(*limits: int) -> range:
    """Return a range for a loop of a template: a slip of the pen there must not hold up an issue for hours.

    Raises:
        ValueError: it is longer than any that a mail or a page can need.
    """
    made = range(*limits)
    if made and (abs(made[-1] - made[0]) // abs(made.step)) >= _LONGEST_RANGE:
        raise ValueError(f"range{limits} is too long: loop over {_LONGEST_RANGE:,} at most")
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
    }

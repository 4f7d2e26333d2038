"""What templates are rendered with (Jinja2): the filters, and the words of one language.

Templates say their texts by `_("…")` and `ngettext("…", "…", number)`; what no catalogue has is shown as it is.

Compiling the templates of a mail takes longer than rendering it. So they are compiled once for all languages, by
an environment of its own. It makes each loop count its turns, so that a mistake in a template holds up no issue
for hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from gettext import NullTranslations
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, nodes, select_autoescape
from jinja2.compiler import CodeGenerator, Frame
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
_MOST_TURNS = 1_000_000  # of all loops of a rendering; a mail of 500 papers takes 6,000
_COUNTED_TURNS = "counted_turns"

# Takes the text, the name and the file of a template, and returns its code; raises TemplateSyntaxError.
Compile = Callable[[str, str | None, str | None], CodeType]


class _Turns:
    """How many turns the loops of a rendering may take still."""

    def __init__(self) -> None:
        self.left = _MOST_TURNS


_turns: ContextVar[_Turns] = ContextVar("turns of the loops of a rendering")


@contextmanager
def counting_turns() -> Iterator[None]:
    """Render something, whose loops take a million turns together at most; one more raises ValueError."""
    token = _turns.set(_Turns())
    try:
        yield
    finally:
        _turns.reset(token)


def _counted_turns(items: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loop of a template goes over."""
    turns = _turns.get()
    for item in items:
        turns.left -= 1
        if turns.left < 0:
            raise ValueError(f"its loops take too long: {_MOST_TURNS:,} turns of all loops together are the most")
        yield item


class _CountingGenerator(CodeGenerator):
    """Generates code in which each loop goes over its items by `_counted_turns`."""

    @override
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        for loop in node.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _COUNTED_TURNS, [], [], None, None).set_lineno(loop.lineno)
        super().visit_Template(node, frame)


class _Compiling(Environment):
    code_generator_class = _CountingGenerator


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
    made = _Compiling(**_options())
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
        _COUNTED_TURNS: _counted_turns,
    }

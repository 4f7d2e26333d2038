"""What templates are rendered with (Jinja2): the filters, and the words of one language.

Templates say their texts by `_("…")` and `ngettext("…", "…", number)`; what no catalogue has is shown as it is.
"""

from __future__ import annotations

from functools import partial

from jinja2 import BaseLoader, Environment, StrictUndefined, select_autoescape

from newsletter.ports.page_files import PageFiles
from newsletter.render.issue import words
from newsletter.render.issue.clauses import cut
from newsletter.render.issue.language import Language


def environment(loader: BaseLoader, language: Language, files: PageFiles) -> Environment:
    """Return what the templates of a loader are rendered with in a language; pages load these files."""
    made = Environment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(language.words, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    made.globals["frame"] = language
    made.globals["static"] = files.name
    made.filters.update(
        long_date=language.long_date,
        short_date=language.short_date,
        medium_date=language.medium_date,
        weekday_date=language.weekday_date,
        weekday=language.weekday,
        tab_date=language.tab_date,
        month=language.month,
        compact=language.compact,
        counted=partial(words.counted, language),
        cut=cut,
        rule=words.rule,
        beside=words.beside,
        unbroken=words.unbroken,
        wrapped=words.wrapped,
        isolated=words.isolated,
    )
    return made

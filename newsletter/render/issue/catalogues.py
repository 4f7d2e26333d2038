"""The catalogues of the words in mails and pages: one file for each language, beside English, which is the source.

A catalogue is a gettext file for people (`.po`). It is compiled in memory when it is first used, in a few
milliseconds, so nothing has to be built.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from newsletter.core.languages import matching

_FOLDER = Path(__file__).parents[1] / "locale"
_FILE = Path("LC_MESSAGES") / "newsletter.po"
SOURCE = "en"


@cache
def languages() -> tuple[str, ...]:
    """Return the tags of all languages that there are, such as `pt` and `zh-Hans`; English is the first."""
    return SOURCE, *sorted(path.parents[1].name.replace("_", "-") for path in _FOLDER.glob(f"*/{_FILE}"))


def language_for(tag: str) -> str | None:
    """Return which of them suits a list's language, or None."""
    return matching(tag, languages())


def own_language(wanted: str | None, of_list: str) -> str:
    """Return the language of a reader's mails and pages, or nothing where it is that of their list.

    It is the list's, with the conventions of its country, if the words are the same; and if there are none in the
    language that the reader wants.

    Args:
        wanted: the tag that the reader chose; None: none.
        of_list: the tag of the list's.
    """
    known = language_for(wanted) if wanted else None
    return "" if known is None or known == language_for(of_list) else known


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the words of one of `languages()`."""
    if language == SOURCE:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (_FOLDER / language.replace("-", "_") / _FILE).open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def language_names() -> dict[str, str]:
    """Return what each of `languages()` calls itself, by its tag: `Deutsch`."""
    from babel.core import Locale

    names = {tag: Locale.parse(tag, sep="-").get_display_name() or tag for tag in languages()}
    return {tag: name[:1].upper() + name[1:] for tag, name in names.items()}

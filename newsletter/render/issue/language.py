"""The language of a mail or a page: its words (gettext), dates and numbers (CLDR, by Babel), and its fonts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from gettext import NullTranslations

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_compact_decimal, format_decimal

from newsletter.render.issue.catalogues import SOURCE, catalogue, language_for

_ENGLISH = "en_150"  # English of no country has the day before the month, as most of the world
_FEW = 10_000  # four digits are read at a glance

# Fonts with the characters of a language, after those for Latin letters: of Apple, Windows and others.
_SANS = {
    "zh": ", PingFang SC, Microsoft YaHei, Noto Sans CJK SC",
    "ja": ", Hiragino Sans, Yu Gothic, Meiryo, Noto Sans CJK JP",
}
_SERIF = {
    "zh": ", Songti SC, SimSun, Noto Serif CJK SC",
    "ja": ", Hiragino Mincho ProN, Yu Mincho, Noto Serif CJK JP",
}
_WITHOUT_SPACES = frozenset(_SANS)
_RIGHT_TO_LEFT = ("ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi")


@dataclass(frozen=True, eq=False, kw_only=True)
class Language:
    """A language; there is one object for each tag, so that what it says can be kept by it."""

    tag: str  # as the list has it
    locale: Locale
    words: NullTranslations

    def gettext(self, message: str, **values: object) -> str:
        """Return a message in this language with its values."""
        return self.words.gettext(message) % values

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """Return the form of a message that belongs to a number; `count` is the number, made short."""
        return self.words.ngettext(one, many, number) % {"count": self.compact(number), **values}

    def long_date(self, day: date) -> str:
        """Return a day such as `Thursday, 12 March 2026`."""
        return str(format_date(day, "full", self.locale))

    def short_date(self, day: date, today: date | None = None) -> str:
        """Return a day such as `12 Mar`; with its year if that is not the year of `today`."""
        if today is not None and today.year != day.year:
            return self.medium_date(day)
        return str(format_skeleton("MMMd", day, locale=self.locale))

    def medium_date(self, day: date) -> str:
        """Return a day such as `12 Mar 2026`."""
        return str(format_skeleton("yMMMd", day, locale=self.locale))

    def weekday_date(self, day: date) -> str:
        """Return a day such as `Thursday, 12 Mar`, as a heading."""
        pattern = self.locale.datetime_skeletons["MMMEd"].pattern.replace("ccc", "E").replace("E", "EEEE")
        return _capital(str(format_date(day, pattern, self.locale)))

    def tab_date(self, day: date) -> str:
        """Return a day such as `Tue 10`, where the month is known."""
        return str(format_skeleton("Ed", day, locale=self.locale))

    def month(self, day: date) -> str:
        """Return the month of a day, such as `March 2026`, as a heading."""
        return _capital(str(format_skeleton("yMMMM", day, locale=self.locale)))

    def between(self, since: date, until: date) -> str:
        """Return the days from one to another, such as `9 - 15 Jun 2026`, with the dash of the language."""
        return str(format_interval(since, until, "yMMMd", locale=self.locale))

    def weekday(self, day: date) -> str:
        """Return the name of a day's weekday, as a heading."""
        return _capital(str(format_date(day, "EEEE", self.locale)))

    def compact(self, number: int) -> str:
        """Return a count such as `1,234`, `12.3K` or `4.5M`."""
        return _compact(self, number)

    @cached_property
    def code(self) -> str:
        """Return the tag of the language that the words are in; the list's may be one without a catalogue."""
        return self.tag if language_for(self.tag) else SOURCE

    @cached_property
    def direction(self) -> str:
        """Return in which direction the words are written: `ltr` or `rtl`."""
        return str(self.locale.text_direction)

    @cached_property
    def space(self) -> str:
        """Return what stands between two sentences: nothing where the full stop is as wide as a character."""
        return "" if self.locale.language in _WITHOUT_SPACES else " "

    @cached_property
    def sans(self) -> str:
        """Return the fonts of its own for text, each with a comma before it."""
        return _SANS.get(self.locale.language, "")

    @cached_property
    def serif(self) -> str:
        """Return the fonts of its own for titles, each with a comma before it."""
        return _SERIF.get(self.locale.language, "")


@lru_cache(maxsize=64)
def language(tag: str) -> Language:
    """Return a list's language; words, dates and numbers are English where there is no catalogue for it."""
    known = language_for(tag) or SOURCE
    return Language(tag=tag, locale=_locale(tag, known), words=catalogue(known))


def _locale(tag: str, known: str) -> Locale:
    """Return the conventions of a tag, such as `pt-BR`; or those of its language where there are none."""
    for name in (tag, known) if language_for(tag) else ():
        if name.lower() == SOURCE:
            break
        with suppress(ValueError, UnknownLocaleError):
            return Locale.parse(name, sep="-")
    return Locale.parse(_ENGLISH)


@lru_cache(maxsize=4096)
def _compact(of: Language, number: int) -> str:
    if number < _FEW:
        return str(format_decimal(number, locale=of.locale))
    short = str(format_compact_decimal(number, locale=of.locale, fraction_digits=1))
    return str(format_decimal(number, locale=of.locale)) if short.isdecimal() else short


def _capital(text: str) -> str:
    """Return a text that begins with a capital, as a heading does."""
    return text[:1].upper() + text[1:]


def direction(tag: str) -> str:
    """Return the writing direction of a language tag (RFC 5646): `ltr` or `rtl`."""
    return "rtl" if tag.lower().partition("-")[0] in _RIGHT_TO_LEFT else "ltr"

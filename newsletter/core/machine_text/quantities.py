"""The numbers of a text, as values: `3.5 %` and `3,5 Prozent` are the same. Pure.

`1.000` is a thousand in German and one in English. A text is read in its language; where that is not clear, both
readings count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from newsletter.core.machine_text.cjk_numbers import POWERS, VAGUE
from newsletter.core.machine_text.number_words import NumberWord, number_words, words_of_all
from newsletter.core.machine_text.phrases import Phrase
from newsletter.core.machine_text.values import Value, fraction, power, times
from newsletter.core.machine_text.written_numbers import written_numbers

# Languages with a decimal comma (CLDR); in these countries, theirs is a point.
_COMMA = "bg ca cs da de el es et eu fi fr gl hr hu id is it lt lv nb nl nn no pl pt ro ru sk sl sr sv tr uk vi"
_COMMA_LANGUAGES = frozenset(_COMMA.split())
_POINT_COUNTRIES = frozenset(("ch", "li", "mx", "us", "419", "gt", "hn", "ni", "sv", "pa", "do", "pr"))
_UNCLEAR = frozenset(("ar", "fa", "ur", "af", "", "und"))
_SUFFIXES = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12, "b": 10**9, "m": 10**6}
_PERHAPS = frozenset("bmT")  # … or a unit
_LITERAL = (
    rf"(?P<vague>{VAGUE})?(?P<digits>(?<![\d.])\d{{1,3}}(?: \d{{3}})+(?!\d)(?:[.,]\d+)?"
    rf"|(?:(?<![\w.])\.)?\d+(?:[.,'\u2019_]\d+)*)"
    r"(?:(?P<over>/)(?P<denominator>\d{1,9})(?![\d/]))?"
    r"(?:\^(?P<power>[+-]?\d{1,3})|[eE](?P<ten>[+-]?\d{1,3})(?![\w])"
    r"|\s?[\u00d7x*\u00b7]\s?10\^(?P<scale>[+-]?\d{1,3}))?"
    rf"(?P<suffix>(?:[ -]?[kKMBT]|[bm])(?![^\W\d_])|\s?(?:{'|'.join(POWERS)}){{1,2}})?"
    r"(?P<percent>\s?%)?"
)
_TOKEN = re.compile(rf"{_LITERAL}|(?P<word>[^\W\d_]+)")
_ONE = re.compile(r"\b(?:one|single)\b", re.IGNORECASE)
_TIMED = re.compile(r"(?:\bper|\ba|\d|/|-)[\s-]{0,2}\Z", re.IGNORECASE)  # before `second`, the unit
_BESIDE = (" ", "-")
_NAME = re.compile(r"(?P<word>[^\W\d_]{1,30})(?:(?P<hyphen>-)| |(?P<glued>[@_]?))\Z")  # before its number
_LONGEST_NAME = 31
_LONGEST_ORDER = 13  # digits
_RANGE = re.compile(r"\s?(?:-|\u2013|\u2014|to|or|and|bis|a|à|~|\u301c|\uff5e)\s?")
_GERMAN_PART = re.compile(r"(.{3,8}?)(?:fach|stufig|dimensional|phasig|schichtig|teilig)(?:e[nmrs]?)?")
_GERMAN_SHARE = re.compile(r"(.{3,8}?)s?teln?")
_ENGLISH_PART = re.compile(r"(.{3,8}?)fold")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text.

    Attributes:
        written: as it stands there.
        readings: what it may mean: each is the values of which it consists.
        parts: values that a text with this number holds besides; of `2/4-bit`, 2 and 4.
        order: the order of magnitude that it names, as `thousands of papers` do; 0 for others.
        factor: by what its digits are multiplied (`5 million`), which may count for a number before it, too.
        is_plain: whether it is digits alone, so that it says the same in any language.
        word: the one before it, in small letters.
        is_in_name: whether both are one name: `GPT-4`, `H100`, `pass@1`.
    """

    written: str
    readings: tuple[frozenset[Value], ...]
    parts: frozenset[Value] = frozenset()
    order: int = 0
    factor: int = 1
    is_plain: bool = False
    word: str = ""
    is_in_name: bool = False

    @property
    def values(self) -> frozenset[Value]:
        """Return the values of all readings."""
        return frozenset[Value]().union(*self.readings)


@dataclass(slots=True)
class HeldNumbers:
    """The numbers that a paper's title and abstract hold.

    Attributes:
        values: what they are.
        in_names: those that stand in names only; `GPT-4` does not hold four layers.
        named: numbers after a word, as they are written.
        written: all that are digits alone, and not in a name.
        orders: the orders of magnitude that are named.
    """

    values: set[Value] = field(default_factory=set)
    in_names: set[Value] = field(default_factory=set)
    named: set[tuple[str, str]] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    orders: set[int] = field(default_factory=set)

    def holds(self, quantity: Quantity) -> bool:
        """Return whether a number stands there, however it is written."""
        if quantity.order:
            low, high = quantity.order, quantity.order * 1000
            in_order = (low * value[1] <= value[0] < high * value[1] for value in self.values)
            return quantity.order in self.orders or any(in_order)
        if quantity.is_plain and quantity.written.casefold() in self.written:
            return True
        is_named = quantity.is_in_name or (quantity.word, quantity.written) in self.named
        values = self.values | self.in_names if is_named else self.values
        return any(reading <= values for reading in quantity.readings)


def held_numbers(text: str, language: str) -> HeldNumbers:
    """Return the numbers of a paper's title and abstract.

    Args:
        text: both, legible (see there).
        language: its tag; empty where it is not clear.
    """
    held = HeldNumbers()
    before: tuple[Quantity, int] | None = None
    for quantity, start, end in _quantities(text, language):
        if quantity.word:
            held.named.add((quantity.word, quantity.written))
        if quantity.is_in_name:
            held.in_names |= quantity.values
            continue
        held.values |= quantity.parts | quantity.values
        held.orders.add(quantity.order)
        if quantity.is_plain:
            held.written.add(quantity.written.casefold())
        if quantity.factor > 1 and before and _RANGE.fullmatch(text[before[1] : start]):
            held.values |= {times(one, (quantity.factor, 1)) for one in before[0].values}
        if before and text[before[1] : start] in _BESIDE:  # `two thirds`
            held.values |= {times(*pair) for pair in product(before[0].values, quantity.values) if pair[1][0] == 1}
        before = quantity, end
    if _ONE.search(text):
        held.values.add((1, 1))
    return held


def numbers(text: str, language: str) -> Iterator[Quantity]:
    """Yield the numbers of a text, in their order.

    Args:
        text: any, legible.
        language: the tag of its language.
    """
    for quantity, _, _ in _quantities(text, language):
        yield quantity


def _quantities(text: str, tag: str) -> Iterator[tuple[Quantity, int, int]]:
    """Yield numbers with where they begin and end; `three million` is one."""
    language = tag.lower().split("-")[0]
    words = number_words(language) if language else words_of_all()
    marks = _marks_of(tag)
    phrase: Phrase | None = None
    for token in _TOKEN.finditer(text):
        word = _word(token["word"], words, language) if token["word"] else None
        if token["word"] and word is None:
            continue
        if phrase and word and phrase.takes(word, text[phrase.end : token.start()], token.end()):
            continue
        if phrase:
            yield _of_phrase(text, phrase), phrase.start, phrase.end
        phrase = None
        if word is None:
            phrase = _of_digits(token, marks)
        elif not word.is_article and not (
            token["word"].lower() == "second" and _TIMED.search(text, max(0, token.start() - 6), token.start())
        ):
            phrase = Phrase.of_word(token.start(), token.end(), word, language)
    if phrase:
        yield _of_phrase(text, phrase), phrase.start, phrase.end


def _of_phrase(text: str, phrase: Phrase) -> Quantity:
    before = _NAME.search(text, max(0, phrase.start - _LONGEST_NAME), phrase.start) if phrase.is_plain else None
    is_in_name = bool(
        before and phrase.is_bare and (before["glued"] or (before["hyphen"] and not before["word"].islower()))
    )
    return Quantity(
        text[phrase.start : phrase.end].replace(VAGUE, "").strip(),
        phrase.readings(),
        phrase.parts,
        order=phrase.order,
        factor=phrase.factor,
        is_plain=phrase.is_plain,
        word=before["word"].casefold() if before else "",
        is_in_name=is_in_name,
    )


def _word(token: str, words: Mapping[str, NumberWord], language: str) -> NumberWord | None:
    folded = token.casefold()
    if found := words.get(folded):
        return found
    if language == "de" and (share := _GERMAN_SHARE.fullmatch(folded)) and (found := words.get(share[1])):
        return NumberWord((1, found.value[0]), is_part=False)
    part = (_GERMAN_PART if language == "de" else _ENGLISH_PART).fullmatch(folded)
    if part and (found := words.get(part[1])) and found.is_part:
        return NumberWord(found.value, is_part=False)
    return None


def _of_digits(token: re.Match[str], marks: str) -> Phrase:
    """Return a number that begins with digits."""
    phrase = Phrase(token.start(), token.end(), is_plain=True, is_bare=not (token["suffix"] or token["percent"]))
    if token["vague"]:
        phrase.order = int(token["digits"][:_LONGEST_ORDER])
    readings, parts = list(written_numbers(token["digits"], marks)), set[Value]()
    if token["denominator"]:
        denominator = int(token["denominator"])
        parts.update(*readings, {(denominator, 1), fraction(1, denominator or 1)})
        readings = [_divided(reading, denominator) for reading in readings]
    elif token["power"]:
        readings, parts = _raised(readings, int(token["power"]))
    elif exponent := token["ten"] or token["scale"]:
        readings = _multiplied(readings, power((10, 1), int(exponent)))
    if suffix := token["suffix"]:
        factor = _factor(suffix.strip(" -"))
        is_sure = (suffix[0] not in " -" and suffix not in _PERHAPS) or suffix.strip()[0] in POWERS
        readings = [*_multiplied(readings, (factor, 1)), *([] if is_sure else readings)]
        phrase.factor = factor
    if token["percent"]:
        readings += _multiplied(readings, (1, 100))
    phrase.digits, phrase.parts = tuple(readings), frozenset(parts)
    return phrase


def _factor(suffix: str) -> int:
    """Return by what `k`, `M`, `万` or `백만` multiply."""
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    return math.prod(POWERS[char] for char in suffix)


def _multiplied(readings: Iterable[frozenset[Value]], factor: Value | None) -> list[frozenset[Value]]:
    return [frozenset(times(one, factor) for one in reading) for reading in readings] if factor else []


def _divided(reading: frozenset[Value], denominator: int) -> frozenset[Value]:
    return frozenset(times(one, (1, denominator)) for one in reading) if denominator else reading


def _raised(readings: Iterable[frozenset[Value]], exponent: int) -> tuple[list[frozenset[Value]], set[Value]]:
    """Return powers, and the numbers of which they are made, but for a base of ten."""
    bases = [one for reading in readings for one in reading]
    powers = [frozenset((raised,)) for base in bases if (raised := power(base, exponent))]
    parts = {base for base in bases if base != (10, 1)}
    return powers, parts | {(abs(exponent), 1)} if parts else parts


def _marks_of(tag: str) -> str:
    """Return the decimal marks of a language; both where that is not clear."""
    language, *places = tag.lower().split("-")
    if language in _UNCLEAR or (language in _COMMA_LANGUAGES and _POINT_COUNTRIES.intersection(places)):
        return ".,"
    return "," if language in _COMMA_LANGUAGES else "."

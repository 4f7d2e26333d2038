"""Words as they are compared: without plural, tense and a few endings, so that `quantized` meets `quantization`.

A light stemmer after Porter (An algorithm for suffix stripping, 1980). Of his endings only those are taken off
that leave the meaning alone: plurals, -ed, -ing, -ion, -ment, -ness, -e, and what is made of -ate and -ize. With
all of them `general` would meet `generate`, which is more than readers mean. Words of other languages come out as
they went in, or nearly so, which does no harm.
"""

from __future__ import annotations

import re
from functools import lru_cache

_MEASURE = re.compile(r"[aeiouy]+[^aeiouy]+")
_VOWEL = re.compile(r"[aeiouy]")
_SHORT_SYLLABLE = re.compile(r"(?:^|[^aeiou])[aeiouy][^aeiouwxy]$")
_DOUBLED = re.compile(r"([^aeioulsz])\1$")
_OF_ATE = re.compile(r"at(?:ions?|ors?|es?|ed|ing)$")
_OF_NOUN = re.compile(r"(?:ment|ness|(?<=[st])ion)$")
_OF_IZE = re.compile(r"i[sz](?:ations?|ers?|es?|ed|ing)$")

_TOO_SHORT = 3  # letters: such a word has no ending
# What looks as if it had an ending.
_WHOLE = frozenset({"bias", "embed"})


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a word, given in lower case, without its ending."""
    if len(word) <= _TOO_SHORT or not word.isascii():
        return word
    if (of_ize := _OF_IZE.search(word)) and _measure(word[: of_ize.start()]) > 0:
        return word[: of_ize.start()] + "is"  # British and American alike, and `supervision` with `supervise`
    if (of_ate := _OF_ATE.search(word)) and _measure(word[: of_ate.start()]) > 1:
        return _without_last_l(word[: of_ate.start()])
    word = word if word in _WHOLE else _singular(word)
    if word in _WHOLE:
        return word
    if (of_noun := _OF_NOUN.search(word)) and _measure(word[: of_noun.start()]) > 1:
        word = word[: of_noun.start()]
    return _without_last_l(_without_e(_without_tense(word)))


def _measure(text: str) -> int:
    """Return how many times consonants follow vowels, which is how many syllables are closed."""
    return len(_MEASURE.findall(text))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > _TOO_SHORT + 1:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _without_tense(word: str) -> str:
    for ending in ("ed", "ing"):
        base = word.removesuffix(ending)
        if base == word or not _VOWEL.search(base):
            continue
        if word.endswith("eed"):
            return word[:-1] if _measure(base) > 0 else word
        if base.endswith(("at", "bl")) or (_measure(base) == 1 and _SHORT_SYLLABLE.search(base)):
            return base + "e"  # `tuned` is of `tune`
        return base[:-1] if _DOUBLED.search(base) else base
    return word


def _without_e(word: str) -> str:
    base = word.removesuffix("e")
    if base != word and (_measure(base) > 1 or (_measure(base) == 1 and not _SHORT_SYLLABLE.search(base))):
        return base
    return word


def _without_last_l(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word

"""What a text says that an acronym stands for: `GRPO (Group Relative Policy Optimization)`. Pure.

The words before an acronym in brackets are found as Schwartz and Hearst do: "A simple algorithm for identifying
abbreviation definitions in biomedical text", Pacific Symposium on Biocomputing 2003,
https://psb.stanford.edu/psb-online/proceedings/psb03/schwartz.pdf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from newsletter.core.machine_text.names import is_acronym
from newsletter.core.stemming import stem

_BRACKETED = re.compile(r"([^()]{2,200}?)\s?[(\uff08]([^()\uff08\uff09]{2,120})[)\uff09]")
_WORD = re.compile(r"[^\W_]+")
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "of",
        "on",
        "or",
        "the",
        "to",
        "via",
        "with",
        "der",
        "die",
        "das",
        "den",
        "des",
        "dem",
        "für",
        "und",
        "von",
        "mit",
        "im",
        "de",
        "la",
        "le",
        "les",
        "du",
        "des",
        "et",
        "pour",
        "par",
        "à",
        "el",
        "los",
        "las",
        "del",
        "y",
        "para",
        "por",
        "con",
        "da",
        "do",
        "dos",
        "das",
        "e",
        "em",
        "com",
        "di",
        "per",
        "il",
    ]
)
_BRITISH = re.compile(r"is(?=(?:ation|e[drs]?|ing)s?\Z)")
_CLAUSE = re.compile(r"[.;:!?\u3002]\s")
_NEAR = 4  # words
_LOOSE = 5  # words more than letters, at most


def held_stems(text: str) -> str:
    """Return the stems of the words of a paper's title and abstract, which are legible, with single spaces."""
    return _stems(_WORD.findall(text))


def foreign_expansions(text: str, stems: str, *, same_language: bool) -> Iterator[str]:
    """Yield what a text says that acronyms stand for, where the paper does not say so.

    Args:
        text: an answer, cleaned and legible.
        stems: of the paper.
        same_language: whether both are in one language. A translation has other initials, and is not looked for.
    """
    for expansion in (*_in_brackets(text, same_language=same_language), *_by_initials(text)):
        if _stems(_WORD.findall(expansion)) not in stems:
            yield expansion


def _stems(words: list[str]) -> str:
    return f" {' '.join(_stem(word) for word in words)} "


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    """Return a word's stem; British words are spelt as American ones."""
    return stem(_BRITISH.sub("iz", word.casefold()))


def _in_brackets(text: str, *, same_language: bool) -> Iterator[str]:
    """Yield expansions before or after an acronym, one of which stands in brackets."""
    for before, inside in _BRACKETED.findall(text):
        words, inner = _WORD.findall(before), _WORD.findall(inside)
        if not words or not inner:
            continue
        if len(inner) == 1 and is_acronym(inner[0]) and same_language:
            if expansion := _long_form(inner[0].removesuffix("s"), before):
                yield expansion
        elif len(inner) > 1 and is_acronym(words[-1]) and same_language and _is_long_form(words[-1], inner):
            yield " ".join(inner)


def _is_long_form(acronym: str, words: list[str]) -> bool:
    """Return whether words are written as what an acronym stands for: in capitals, or with its letters."""
    capitals = sum(word[:1].isupper() for word in words)
    names = [word for word in words if is_acronym(word)]
    if names:  # `GRPO (as in PPO)`
        return False
    initials = "".join(word[0] for word in words if word.lower() not in _SMALL_WORDS).casefold()
    return capitals * 2 > len(words) or initials == acronym.removesuffix("s").casefold()


def _long_form(acronym: str, before: str) -> str:
    """Return the words before an acronym that hold its letters in their order; empty if none do.

    Words after the one with the last letter are left out: `reinforcement learning training (RL)`.
    """
    letters = [char.casefold() for char in acronym if char.isalnum()]
    words = list(_WORD.finditer(before))[-min(len(letters) + _LOOSE, 2 * len(letters)) :]
    if not words:
        return ""
    begin = words[0].start()
    at = len(before) - 1
    end = 0
    for place in range(len(letters) - 1, -1, -1):
        while at >= begin:
            is_first = at == begin or not before[at - 1].isalnum()
            if before[at].casefold() == letters[place] and (place or is_first):
                break
            at -= 1
        if at < begin:
            return ""
        end = end or next(word.end() for word in words if word.end() > at)
        at -= 1
    return before[at + 1 : end]


def _by_initials(text: str) -> Iterator[str]:
    """Yield rows of words whose initials are an acronym of the same text.

    The words are capitalised, or the acronym stands beside them: `gradient policy rewards, or GPR`.
    """
    for part in _CLAUSE.split(text):
        words = _WORD.findall(part)
        places = [place for place, word in enumerate(words) if word.lower() not in _SMALL_WORDS]
        for size, acronyms in _acronyms_by_length(text).items():
            for row in (places[first : first + size] for first in range(len(places) - size + 1)):
                initials = "".join(words[place][0] for place in row).casefold()
                is_capitalised = all(words[place][0].isupper() for place in row)
                if initials in acronyms and (is_capitalised or _is_beside(words, row, initials)):
                    yield " ".join(words[row[0] : row[-1] + 1])


def _acronyms_by_length(text: str) -> dict[int, set[str]]:
    """Return the acronyms of three letters and more, in small letters."""
    found: dict[int, set[str]] = {}
    for word in _WORD.findall(text):
        name = word.removesuffix("s")
        if is_acronym(name) and name.isalpha() and len(name) > 2:  # noqa: PLR2004
            found.setdefault(len(name), set()).add(name.casefold())
    return found


def _is_beside(words: list[str], row: list[int], acronym: str) -> bool:
    near = words[max(0, row[0] - _NEAR) : row[0]] + words[row[-1] + 1 : row[-1] + 1 + _NEAR]
    return acronym in {word.removesuffix("s").casefold() for word in near if is_acronym(word)}

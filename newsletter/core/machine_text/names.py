"""The acronyms and names of a text: words with two capitals or more, and words with digits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from newsletter.core.machine_text.translated_acronyms import translated_acronyms

_WORD = re.compile(r"[^\W_]+")
_CHAIN = re.compile(r"[^\W_]+(?:[-/.+][^\W_]+)*")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,6}")
_NUMBERED = re.compile(r"([^\W\d_]{1,30})[- ]?(\d+(?:\.\d+)*)")
_COUNT = re.compile(r"\d+(?:[kKMBTDx]|[a-zµ]{1,3}s?|[kMGT]?(?:B|Hz|W|V|FLOPS|FLOPs)|[kMGT]?bps)")
# Small words of English that are acronyms in capitals: the word does not hold the acronym.
_SMALL_WORDS = frozenset(
    [
        "it",
        "us",
        "as",
        "is",
        "so",
        "am",
        "an",
        "be",
        "do",
        "go",
        "he",
        "if",
        "in",
        "me",
        "my",
        "no",
        "of",
        "on",
        "or",
        "to",
        "up",
        "we",
        "who",
        "all",
        "can",
        "may",
        "was",
        "has",
    ]
)
_EXPANDED = {"AI": "artificial intelligence", "USA": "us", "UK": "united kingdom", "EU": "european union"}


@dataclass(frozen=True, slots=True)
class HeldNames:
    """The words that a paper's title and abstract hold.

    Attributes:
        words: each, and words joined by hyphens as one; in small letters, without the s of plurals.
        capitals: words that stand there with two capitals or more, in small letters.
        phrases: all words in their order, with single spaces.
        numbered: what follows a word there: to `gpt` belong `4` and `3.5`.
    """

    words: frozenset[str]
    capitals: frozenset[str]
    phrases: str
    numbered: Mapping[str, frozenset[str]]


def held_names(text: str) -> HeldNames:
    """Return the words of a paper's title and abstract, which are legible (see there)."""
    words, capitals = set[str](), set[str]()
    for chain in set(_CHAIN.findall(text)):
        parts = _WORD.findall(chain)
        joined = ["".join(parts), *map("".join, pairwise(parts))] if len(parts) > 1 else []
        for word in (*parts, *joined):
            words |= (forms := {word.casefold(), singular(word)})
            if is_acronym(word):
                capitals |= forms
    for dotted in _DOTTED.findall(text):
        words.add(dotted.replace(".", "").casefold())
        capitals.add(dotted.replace(".", "").casefold())
    numbered: dict[str, set[str]] = {}
    for word, number in _NUMBERED.findall(text):
        numbered.setdefault(word.casefold(), set()).add(number)
    phrases = f" {' '.join(_WORD.findall(text.casefold()))} "
    return HeldNames(
        frozenset(words), frozenset(capitals), phrases, {word: frozenset(n) for word, n in numbered.items()}
    )


def foreign_names(text: str, held: HeldNames, language: str) -> Iterator[str]:
    """Yield the acronyms and numbered names of a text that a paper does not hold.

    Args:
        text: an answer, cleaned and legible.
        held: the words of the paper.
        language: the tag of the answer's language.
    """
    translated = translated_acronyms(language)
    for dotted in _DOTTED.finditer(text):
        name = dotted[0].replace(".", "")
        if is_acronym(name) and not _is_held(name, held, translated):
            yield dotted[0]
    for chain in _CHAIN.finditer(text):
        parts = _WORD.findall(chain[0])
        if singular("".join(parts)) in held.words and not _is_small("".join(parts), held):
            continue
        for part in parts:
            if is_acronym(part) and not _is_held(part, held, translated):
                yield part
    yield from _renumbered(text, held)


def is_acronym(word: str) -> bool:
    """Return whether a word has two capitals or more, and is no number with a unit (`8B`, `10GB`)."""
    return sum(map(str.isupper, word)) > 1 and not _COUNT.fullmatch(word)


def singular(word: str) -> str:
    """Return a word in small letters, without the s of a plural."""
    folded = word.casefold()
    return folded[:-1] if len(folded) > 2 and folded.endswith("s") and not folded.endswith("ss") else folded  # noqa: PLR2004


def _is_held(name: str, held: HeldNames, translated: Mapping[str, tuple[str, ...]]) -> bool:
    one = singular(name) if name.endswith("s") or name.casefold() not in held.words else name.casefold()
    if not _is_small(name, held) and (
        name.casefold() in held.words or one in held.words or f"{one}s" in held.words
    ):
        return True
    base = name.removesuffix("s")
    others = (*translated.get(base, ()), *([_EXPANDED[base]] if base in _EXPANDED else []))
    return any(
        (other in held.capitals) if " " not in other else (f" {other} " in held.phrases) for other in others
    )


def _is_small(name: str, held: HeldNames) -> bool:
    """Return whether the paper has a name as a small word of English only."""
    folded = name.casefold()
    return folded in _SMALL_WORDS and folded not in held.capitals


def _renumbered(text: str, held: HeldNames) -> Iterator[str]:
    """Yield names with another number than in the paper: `GPT-5` where that has `GPT-4`."""
    for name in _NUMBERED.finditer(text):
        word = name[1].casefold()
        is_glued = name[0][len(word)].isdigit() and name[1][:1].isupper()
        if not is_glued and not (is_acronym(name[1]) or name[0][len(word)] == "-"):
            continue
        known = held.numbered.get(word)
        if (known is None and is_glued) or (known is not None and name[2] not in known):
            yield name[0]

"""When two titles read the same, and how much that proves.

A title is compared as words. Case, spacing, punctuation and LaTeX commands are how a source sets it; signs (`C++`,
`C#`, `x < y`, `-1`, an emoji) and the vowel signs of Hindi, Thai, Arabic or Hebrew are what it says. Accents on
Latin letters are left out by some sources, but never changed into others.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from newsletter.core.normalisation import normalised

_LATEX_WORD = re.compile(r"\\(?:textbf|textit|texttt|textsc|textrm|emph|mathcal|mathbb|mathbf|mathrm|text)\b")
_NOT_WORD = re.compile(r"[^\w]+|_", re.UNICODE)
_TAG = re.compile(r"<(/?[a-zA-Z][^<>]*)>")
_MINUS = re.compile(r"(?<![\w)\]])[-\u2212\u2010\u2011](?=\d)")
_STARRED = re.compile(r"(?<=\b\w)\*")
# Signs that only set a title: what LaTeX marks, links and separates with, and accents that stand alone.
_SETTING = frozenset("$^~|`\u00a8\u00af\u00b4\u00b8\u2044\u2212")
_KEPT_PUNCTUATION = frozenset("#%")
# Scripts without spaces between words say in a letter what others say in several.
_DENSE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
_LETTERS_IN_DENSE, _LETTERS_IN_WORD = 3, 5


def normalised_title(text: str) -> str:
    """Return a text as bare lower-case words: no accents, vowel signs, punctuation or LaTeX commands.

    Texts without a letter or digit give an empty string.
    """
    plain = _LATEX_WORD.sub("", text) if "\\" in text else text
    if plain.isascii():
        plain = plain.lower()  # what is below comes to the same
    else:
        plain = "".join(char for char in _folded(plain) if not unicodedata.combining(char))
    return " ".join(_NOT_WORD.sub(" ", plain).split())


@lru_cache(maxsize=4096)
def title_key(text: str) -> str:
    """Return the form in which titles that read the same are equal; see above for what counts.

    A title of nothing but punctuation is itself, in lower case; one of nothing at all gives an empty string.
    """
    return _words(_without_accents(_folded(_shown(text)))) or " ".join(_shown(text).casefold().split())


def read_alike(one: str, other: str) -> bool:
    """Return whether two titles of one key agree word by word: the same accents, or none on one of the words."""
    if one == other:
        return True
    words, others = (_words(_folded(_shown(text))).split() for text in (one, other))
    if len(words) != len(others):
        return True  # an accent that stands apart; the key decided
    return all(
        word == twin or _without_accents(word) in {word, twin} or _without_accents(twin) == twin
        for word, twin in zip(words, others, strict=True)
    )


def is_telling(key: str, *, words: int, letters: int) -> bool:
    """Return whether a title has enough words and letters that two papers hardly ever share it by chance."""
    dense = len(_DENSE.findall(key))
    weight = len(key.replace(" ", "")) + (_LETTERS_IN_DENSE - 1) * dense
    return weight >= letters and len(key.split()) + dense * _LETTERS_IN_DENSE // _LETTERS_IN_WORD >= words


def _shown(text: str) -> str:
    """Return a title without commands, marks of tags, and what nobody sees."""
    if not text.isprintable():
        text = "".join(_visible(char) for char in text)
    return _TAG.sub(r" \1 ", _LATEX_WORD.sub("", text))


def _visible(char: str) -> str:
    kind = unicodedata.category(char)
    return " " if kind == "Cc" else "" if kind == "Cf" else char


def _folded(text: str) -> str:
    """Return a text for compatibility caseless matching (Unicode standard, 3.13, D146)."""
    for _ in range(2):
        text = normalised("NFKD", text).casefold()
    return normalised("NFKD", text)


def _without_accents(folded: str) -> str:
    """Return decomposed text without the marks on Latin letters; on others they are letters of their own."""
    kept, is_latin = [], False
    for char in folded:
        if not unicodedata.combining(char):
            is_latin = char.isascii() or unicodedata.name(char, "").startswith("LATIN")
            is_latin &= char.isalpha()
        elif is_latin:
            continue
        kept.append(char)
    return "".join(kept)


def _words(folded: str) -> str:
    """Return the words and telling signs of a folded title, with single spaces."""
    folded = _MINUS.sub("\0", folded)  # until the other dashes are gone
    folded = _STARRED.sub("\1", folded)
    return " ".join("".join(map(_written, folded)).replace("\0", "-").replace("\1", "*").split())


@lru_cache(maxsize=4096)
def _written(char: str) -> str:
    if char in "\0\1":
        return " \0" if char == "\0" else char
    kind = unicodedata.category(char)
    if kind[0] in "LNM":
        return char
    if (kind[0] == "S" and char not in _SETTING) or char in _KEPT_PUNCTUATION:
        return f" {char} "
    return " "

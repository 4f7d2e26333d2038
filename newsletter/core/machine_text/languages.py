"""In which script and language a text is, as far as that can be told from a sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from newsletter.core.machine_text.refusal import RefusedTextError, named

_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(f"[{letters}]")
    for name, letters in (
        ("Latin", "a-zA-Z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"),
        ("Greek", "\u0370-\u03ff\u1f00-\u1fff"),
        ("Cyrillic", "\u0400-\u052f"),
        ("Armenian", "\u0531-\u058a"),
        ("Hebrew", "\u05d0-\u05ea"),
        ("Arabic", "\u0620-\u064a\u066e-\u06d3\u0750-\u077f"),
        ("Devanagari", "\u0904-\u0939\u093e-\u094d\u0958-\u0961"),
        ("Bengali", "\u0985-\u09cc"),
        ("Tamil", "\u0b85-\u0bcc"),
        ("Thai", "\u0e01-\u0e3a\u0e40-\u0e4e"),
        ("Georgian", "\u10a0-\u10ff"),
        ("Hangul", "\u1100-\u11ff\uac00-\ud7af"),
        ("Kana", "\u3041-\u3096\u30a1-\u30fa\u30fc"),
        ("Han", "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"),
    )
}
_OF_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "zh": ("Han",),
    "ja": ("Kana", "Han"),
    "ko": ("Hangul",),
    "el": ("Greek",),
    "he": ("Hebrew",),
    "ru": ("Cyrillic",),
    "uk": ("Cyrillic",),
    "bg": ("Cyrillic",),
    "be": ("Cyrillic",),
    "mk": ("Cyrillic",),
    "sr": ("Cyrillic", "Latin"),
    "kk": ("Cyrillic",),
    "ar": ("Arabic",),
    "fa": ("Arabic",),
    "ur": ("Arabic",),
    "hi": ("Devanagari",),
    "mr": ("Devanagari",),
    "ne": ("Devanagari",),
    "bn": ("Bengali",),
    "ta": ("Tamil",),
    "th": ("Thai",),
    "ka": ("Georgian",),
    "hy": ("Armenian",),
}
_DENSE = frozenset(("Han", "Kana", "Hangul"))
_DENSE_SHARE, _SHARE = 0.2, 0.4  # of the letters, at least; names and terms stay in Latin ones
_KANA_SHARE = 0.1  # of Japanese letters: without, it is Chinese
_MANY_HAN = 8  # letters, in which Japanese has kana
_WORD = re.compile(r"[^\W\d_]+")
# Frequent words of languages with Latin letters; those that two share stand in both.
_WORDS: Mapping[str, str] = {
    "en": "the of and for with to by from that are this which we our is in on while using through their it as"
    " an be do no per so was can has not than",
    "de": "der die das und von mit für ein eine einer einem einen des den dem auf durch zu wird werden ist"
    " sich sowie bei wie im in an am zur zum über ohne nicht als auch es so was",
    "fr": "le la les de des et une un pour dans avec sur par est du au aux qui que ce cette en sont leur ses"
    " se plus sans on l d à ne pas",
    "es": "el la los las y de del una un para con por que en es se su al como más sin sus entre mediante no"
    " si o a",
    "pt": "o os as e de do da dos das uma um para com por que em no na nos nas ao é se mais sem como seus"
    " pelo pela a",
    "it": "il lo la le gli i e di del della dei delle una un per con che in nel nella si è da al alla come"
    " più senza sono su o a l",
    "nl": "de het een en van voor met in op door is dat die te zijn wordt worden naar bij als ook zonder al dan",
}
_READ = 2000  # characters
_CLEAR = 3  # words of another language, and …
_MANY = 5  # a fifth of the words
_TIMES = 3  # … so many times those of the one that is asked for


def require_language(text: str, language: str, source: str, *, is_title: bool) -> None:
    """Hold a text to a language.

    Args:
        text: an answer, cleaned.
        language: the tag of the language that is asked for.
        source: title and abstract, whose words may stand in any script.
        is_title: whether it is a title: Japanese ones may do without kana if they are short.

    Raises:
        RefusedTextError: it is clearly in another.
    """
    subtags = language.lower().split("-")
    scripts = ("Latin",) if "latn" in subtags else _OF_LANGUAGES.get(subtags[0], ("Latin",))
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    letters = sum(map(str.isalpha, text))
    share = sum(counts[script] for script in scripts) / max(letters, 1)
    if share < (_DENSE_SHARE if _DENSE.intersection(scripts) else _SHARE):
        raise RefusedTextError(f"it is not in the script of the language {language}")
    if scripts[0] == "Kana" and counts["Han"] > (_MANY_HAN if is_title else 0):
        _require_kana(counts, language)
    for word in _foreign_words(text, scripts):
        if word not in source:
            raise RefusedTextError(f"it holds words in another script: {named(word)}")
    if scripts == ("Latin",):
        _require_words(text, subtags[0], is_title=is_title)


def is_english(text: str) -> bool:
    """Return whether a text is clearly English."""
    found = _found(text)
    return found["en"] >= _CLEAR and found["en"] > max(number for tag, number in found.items() if tag != "en")


def _require_kana(counts: Mapping[str, int], language: str) -> None:
    if counts["Kana"] < _KANA_SHARE * (counts["Kana"] + counts["Han"]):
        raise RefusedTextError(f"it is not in the script of the language {language}")


def _foreign_words(text: str, scripts: tuple[str, ...]) -> Iterator[str]:
    """Yield words in other scripts than those asked for, and than Latin; a Greek letter may stand alone."""
    others = [pattern for name, pattern in _SCRIPTS.items() if name not in {*scripts, "Latin", "Greek"}]
    for word in _WORD.findall(text):
        is_greek = len(word) > 2 and "Greek" not in scripts and len(_SCRIPTS["Greek"].findall(word)) > 2  # noqa: PLR2004
        if is_greek or (not word.isascii() and any(pattern.search(word) for pattern in others)):
            yield word


def _require_words(text: str, language: str, *, is_title: bool) -> None:
    words = [word.lower() for word in _WORD.findall(text)]
    if language not in _WORDS:  # such as Polish: English can be told from it, and its neighbours cannot
        if sum(word in _words_of("en") for word in words) * _MANY > max(len(words), _CLEAR * _MANY):
            raise RefusedTextError(f"it is in another language (en) than {language}")
        return
    for other in _WORDS:
        theirs = sum(word in _words_of(other) - _words_of(language) for word in words)
        ours = sum(word in _words_of(language) - _words_of(other) for word in words)
        if theirs >= _CLEAR - is_title and theirs >= _TIMES * ours:
            raise RefusedTextError(f"it is in another language ({other}) than {language}")


def _found(text: str) -> dict[str, int]:
    """Return how many words of each language a text has."""
    words = [word.lower() for word in _WORD.findall(text[:_READ])]
    return {tag: sum(map(_words_of(tag).__contains__, words)) for tag in _WORDS}


@cache
def _words_of(language: str) -> frozenset[str]:
    return frozenset(_WORDS[language].split())

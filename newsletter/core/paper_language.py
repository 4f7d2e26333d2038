"""In which language a paper is written, for the attribute `lang` of its texts. Pure.

A wrong attribute is worse than none: a screen reader would read German with English sounds. So nothing is said
unless the evidence is clear.
"""

from __future__ import annotations

import re

from newsletter.core.listing import Listing

_READ = 600  # characters
_WORD = re.compile(r"[^\W\d_]+")
_KANA, _HANGUL = re.compile(r"[\u3041-\u30ff]"), re.compile(r"[\uac00-\ud7af]")
_HAN, _LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[a-zA-Z]")
# Words that are frequent in English and in no other language that is written with these letters.
_ENGLISH = frozenset(
    ("the", "of", "and", "for", "with", "to", "by", "from", "that", "are", "this", "which", "we", "our", "is")
)
_MANY = 5  # a fifth
_SHARE = 0.05  # of the words are such; in English prose it is a quarter, in titles a tenth
_ENGLISH_DOIS = ("10.1101/", "10.64898/")  # of bioRxiv and medRxiv


def language_beside(listing: Listing, tag: str, around: str) -> str:
    """Return the language tag of a listing's texts, or nothing where it is not clear, or that of the list.

    Args:
        listing: the paper.
        tag: the language of the list, such as `pt-BR`.
        around: that of the words around the texts, which are English where there are none in the list's.
    """
    return beside(language_of(listing), tag, around)


def beside(own: str, tag: str, around: str) -> str:
    """Return as `language_beside` does, for texts in the language `own`, which is empty where it is not clear.

    Among words of another language than the list's, what is not clear is most likely in the list's.
    """
    if around != tag:
        return own or tag
    return "" if tag.lower().split("-")[0] == own else own


def assumed_language(listing: Listing) -> str:
    """Return the language tag of a listing's texts as far as one may assume it, or nothing.

    Texts in Latin letters of which nothing more is clear are taken for English, as most papers are.
    """
    title = listing.title
    is_latin = len(_LATIN.findall(title)) * 2 >= sum(map(str.isalpha, title))
    return language_of(listing) or ("en" if is_latin else "")


def language_of(listing: Listing) -> str:
    """Return the language tag of a listing's texts, or nothing where it is not clear.

    arXiv asks for English abstracts, and bioRxiv for English papers.
    """
    text = f"{listing.title} {listing.abstract or listing.summary}"[:_READ]
    letters = sum(map(str.isalpha, text))
    kana, han, hangul = (len(pattern.findall(text)) for pattern in (_KANA, _HAN, _HANGUL))
    if _MANY * (kana + han) > letters:  # names and terms stay in Latin letters
        return "ja" if _MANY * kana > han else "zh"
    if _MANY * hangul > letters:
        return "ko"
    if len(_LATIN.findall(text)) * 2 < letters:
        return ""
    words = [word.lower() for word in _WORD.findall(text)]
    found = sum(word in _ENGLISH for word in words)
    is_english = listing.arxiv_id or listing.doi.startswith(_ENGLISH_DOIS) or found > _SHARE * len(words)
    return "en" if is_english else ""

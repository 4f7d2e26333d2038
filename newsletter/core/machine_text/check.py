"""What of a model's answer about a paper is used: cleaned, and nothing that the paper does not say.

A model may invent numbers, acronyms, and what acronyms stand for. So each of these has to stand in the title or
the abstract, whatever the writing. An answer in which one does not is refused, and never mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from newsletter.core.machine_summary import MachineTextKind
from newsletter.core.machine_text.cleaning import cleaned
from newsletter.core.machine_text.expansions import foreign_expansions, held_stems
from newsletter.core.machine_text.languages import is_english, require_language
from newsletter.core.machine_text.legible import legible
from newsletter.core.machine_text.names import HeldNames, foreign_names, held_names
from newsletter.core.machine_text.phrasing import require_answer
from newsletter.core.machine_text.quantities import HeldNumbers, held_numbers, numbers
from newsletter.core.machine_text.refusal import RefusedTextError, named
from newsletter.core.normalisation import normalised
from newsletter.core.titles import normalised_title

__all__ = ["RefusedTextError", "checked"]

_READ = 20_000  # characters of an answer or an abstract
_READ_OF_TITLE = 1_000  # characters
_LONGEST_SUMMARY, _LONGEST_TITLE = 400, 300  # characters
_SHORTEST_SUMMARY = 10  # characters; "N/A" says nothing of a paper
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")  # say twice as much
_MOST_SENTENCES = 3
_SENTENCE = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bal)(?<!\b[A-Zz])[.!?][\"'\u201d\u2019)\]]?\s+(?=[^\Wa-z_])"
    r"|[\u3002\uff01\uff1f](?=.)"
)
_LONGER = 2.5  # times as long as the title, a translation of it may be
_SHORT = 40  # characters; so long, it may be anyhow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """A paper's title and abstract, and what they hold; `language` is empty where it is not clearly English."""

    title: str
    abstract: str
    language: str
    numbers: HeldNumbers
    names: HeldNames
    stems: str


def checked(answer: str, *, kind: MachineTextKind, title: str, abstract: str, language: str) -> str:
    """Return what of a model's answer may be shown: one plain paragraph, which checking again leaves as it is.

    Args:
        answer: as it came from the model; nothing of it is trusted.
        kind: what it was asked for.
        title: of the paper.
        abstract: of the paper; the model saw no more of it than this.
        language: the tag of the language in which it was to answer.

    Raises:
        RefusedTextError: it is not used; says why.
    """
    if len(answer) > _READ:
        raise RefusedTextError("it is too long")
    paper = _paper(title[:_READ_OF_TITLE], abstract[:_READ])
    is_title = kind is MachineTextKind.TITLE
    source = f"{paper.title}\n{paper.abstract}"
    text = cleaned(answer, source=source, like=paper.title if is_title else "")
    if is_title and text.endswith((".", "\u3002")) and not paper.title.endswith((".", "\u3002", "\u2026")):
        text = text.rstrip(".\u3002 ")
    if not any(map(str.isalpha, text)):
        raise RefusedTextError("it is empty")
    _require_length(text, paper.title, is_title=is_title)
    require_answer(text, title=paper.title, abstract=paper.abstract)
    said, given = normalised_title(text), normalised_title(paper.title)
    if said == given or (said in given and not is_title):
        raise RefusedTextError("it is the title")
    require_language(text, language, source, is_title=is_title)
    _require_held(text, paper, language)
    return text


def _require_length(text: str, title: str, *, is_title: bool) -> None:
    longest = min(_LONGEST_TITLE, max(_SHORT, _LONGER * _weight(title))) if is_title else _LONGEST_SUMMARY
    if _weight(text) > longest:
        raise RefusedTextError("it is too long")
    if not is_title and _weight(text) < _SHORTEST_SUMMARY:
        raise RefusedTextError("it is too short")
    if not is_title and len(_SENTENCE.findall(text)) >= _MOST_SENTENCES:
        raise RefusedTextError(f"it has more than {_MOST_SENTENCES} sentences")


def _weight(text: str) -> int:
    """Return the length of a text, in which each Chinese, Japanese or Korean character counts twice."""
    return len(text) + len(_DENSE.findall(text))


def _require_held(text: str, paper: _Paper, language: str) -> None:
    """Refuse numbers, names and expansions that the paper does not hold."""
    said = legible(text)
    for number in numbers(said, language):
        if not paper.numbers.holds(number):
            raise RefusedTextError(f"it holds a number that the paper does not: {named(number.written)}")
    for name in foreign_names(said, paper.names, language):
        raise RefusedTextError(f"it holds a name that the paper does not: {named(name)}")
    is_same = paper.language in {"", language.lower().split("-")[0]}
    for expansion in foreign_expansions(said, paper.stems, same_language=is_same):
        raise RefusedTextError(f"it explains an acronym as the paper does not: {named(expansion)}")


@lru_cache(maxsize=64)
def _paper(title: str, abstract: str) -> _Paper:
    """Return what a paper holds; it is asked for each answer about it."""
    title, abstract = (normalised("NFC", " ".join(text.split())) for text in (title, abstract))
    source = f"{title}\n{abstract}"
    clear, language = legible(source), "en" if is_english(source) else ""
    return _Paper(
        title=title,
        abstract=abstract,
        language=language,
        numbers=held_numbers(clear, language),
        names=held_names(clear),
        stems=held_stems(clear),
    )

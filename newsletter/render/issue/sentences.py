"""Which sentences of an abstract a mail shows. Pure; only the first few thousand characters are looked at.

Lengths are columns: a Chinese or Japanese character takes two.

English is looked into for what its sentences do; of texts in other languages the first sentences are taken.
"""

from __future__ import annotations

import re

from newsletter.render.issue.clauses import clause, columns, fits

_READ = 8_000  # characters; no abstract is longer
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s+[^a-z\s])|[。！？]")  # noqa: RUF001 -- CJK marks end sentences
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|al|vs|cf|fig|eq|sec|tab|approx|resp|dr|prof|no|[A-Z])$", re.IGNORECASE
)
_LONGEST_ABBREVIATION = 8

# What was done, in the words of those who did it; and what came of it.
_DID = (
    r"present|introduce|propose|develop|design|build|construct|create|describe|release|show|prove|demonstrate|study|"
    r"investigate|examine|find|derive|establish|report|argue|address|formali[sz]e|train|collect|offer|provide|identify"
)
_DONE = re.compile(
    rf"\b(?:we|authors|(?:this|our) (?:paper|work|article|study|survey|report|method|approach|framework|model))"
    rf" (?:(?!also )\w+ )?(?:{_DID})(?:s|es)?\b",
    re.IGNORECASE,
)
_CAME_OF_IT = re.compile(
    r"\b(?:outperform\w*|surpass\w*|achiev\w+|improv\w+|reduc\w+|results?|experiments?|evaluations?|faster|state-of-the-art)\b",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"(?:in this (?:paper|work|article|study|report|survey)|therefore|thus|hence|here|specifically|concretely|"
    r"in particular|motivated by this|"
    r"(?:in order )?to (?:this end|[^,.]{1,40} (?:this|these|that|those)\b[^,.]{0,60})),? +(?=we )",
    re.IGNORECASE,
)
_SENTENCE = 280  # columns of one that is shown
GAP = " […] "  # stands for sentences between two that are shown


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without the spaces around them."""
    text = text[:_READ]
    found, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        if not _ABBREVIATION.search(text, max(start, end.start() - _LONGEST_ABBREVIATION), end.start()):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in (*found, text[start:].strip()) if sentence]


def gist(abstract: str) -> str:
    """Return the sentence of an abstract that says what was done, without its lead-in; else its first sentence."""
    found = sentences(abstract)
    return _without_lead_in(found[_done(found)]) if found else ""


def passage(abstract: str, *, most: int = 3, limit: int = 600) -> str:
    """Return the best sentences of an abstract in their order: what was done, what came of it, how it begins.

    Args:
        abstract: the abstract.
        most: how many sentences.
        limit: how many columns; a longer sentence is cut at a clause.
    """
    found = sentences(abstract)
    if not found:
        return ""
    done = _done(found)
    results = (place for place in range(len(found) - 1, done, -1) if _CAME_OF_IT.search(found[place]))
    wanted = [done, next(results, done), 0, *range(done + 1, len(found)), *range(done)]
    chosen: list[int] = []
    room = limit
    for place in dict.fromkeys(wanted):
        takes = min(columns(found[place]), _SENTENCE) + len(GAP)
        if len(chosen) < most and (takes <= room or not chosen):
            chosen.append(place)
            room -= takes
    text, before = "", None
    for place in sorted(chosen):
        if before is not None:
            text += _between(text) if before == place - 1 else GAP
        text += clause(found[place], min(_SENTENCE, limit))
        before = place
    return text


def cut_at_sentence(text: str, limit: int) -> str:
    """Return as many first sentences of a text as fit into `limit` columns; else its first at a clause."""
    if fits(text, limit):
        return text
    whole, end = "", 0
    for sentence in sentences(text[: 2 * limit + 2])[:-1]:  # where that one ends is not seen
        end = text.index(sentence, end) + len(sentence)
        longer = text[:end].lstrip()
        if not fits(longer, limit):
            break
        whole = longer
    return whole if columns(whole) >= limit // 3 else clause(text, limit)


def _between(text: str) -> str:
    """Return what stands between a text and its next sentence: Chinese and Japanese have no spaces there."""
    return "" if text.endswith(("。", "！", "？")) else " "  # noqa: RUF001 -- CJK marks end sentences


def _done(found: list[str]) -> int:
    return next((place for place, sentence in enumerate(found) if _DONE.search(sentence)), 0)


def _without_lead_in(sentence: str) -> str:
    rest = _LEAD_IN.sub("", sentence, count=1) if _LEAD_IN.match(sentence) else sentence
    return rest[:1].upper() + rest[1:]

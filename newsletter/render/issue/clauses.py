"""Texts made shorter where a reader would pause, never inside a word. Pure; what is cut off is not looked at.

Lengths are columns: a Chinese or Japanese character takes two.
"""

from __future__ import annotations

import re
from itertools import accumulate
from unicodedata import combining, east_asian_width

ELLIPSIS = "\u00a0…"  # never alone on a line

_JOINER = "\u200d"

# A clause begins with these words; and a phrase, which is the next best place.
_CLAUSE = re.compile(
    r"[,;:]? (?=(?:through|by|using|while|which|where|whereas|who|when|because|since|although|but|thus|thereby|"
    r"via|enabling|allowing|achieving|improving|reducing|leading|resulting|outperforming|showing|revealing|"
    r"without) )"
    r"|[;:] |, (?=and |or )| [–—] | \(",  # noqa: RUF001 -- dashes
    re.IGNORECASE,
)
_PHRASE = re.compile(r", | (?=(?:in|on|for|from|with|to|at|over|under|across|into|of|between|and|or|that|as) )")
_CJK_PAUSE = re.compile(r"[，、。；：]")  # noqa: RUF001 -- they end Chinese and Japanese clauses
# No text ends with these.
_DANGLING = re.compile(
    r"(?:an?|the|of|in|on|for|from|with|to|at|by|over|under|across|into|between|and|or|that|as|its|their|our|is|are|be|"
    r"than|via|not|such|using|while|which|both|these|this|more|most|can|may|how)",
    re.IGNORECASE,
)
_APPOSITIVE = re.compile(r"([^,.;:]{2,60}), (?:an?|the) [^,.;:]{3,140}, (?=[a-z]{2,}s? )")
_BEING = re.compile(r"is (?=(?:an?|the) )")
_ENDS = " ,;:-–—([{"  # noqa: RUF001 -- dashes
# Characters that may be two columns wide, or none; Latin, Greek, punctuation and mathematical signs are not.
_ODD = re.compile(r"[\u0300-\u036f\u0400-\u1fff\u2300-\U0010ffff]")
_LEAST = 0.5  # of the room has to be used by a clause


def columns(text: str) -> int:
    """Return how many columns a text takes in a font of one width."""
    return sum(map(_width, text)) if _ODD.search(text) else len(text)


def clause(text: str, limit: int) -> str:
    """Return a text of at most `limit` columns: whole, or without its appositive, or up to the end of a clause."""
    if _fits(text, limit):
        return text
    shorter = _APPOSITIVE.sub(r"\1 ", text[: 3 * limit], count=1) if _APPOSITIVE.match(text) else text
    if len(text) <= 3 * limit and _fits(shorter, limit):
        return shorter
    head = _head(shorter, limit - len(ELLIPSIS))
    least = int(_LEAST * len(head))
    for pattern in (_CLAUSE, _PHRASE):
        places = [match.start() for match in pattern.finditer(head + shorter[len(head) : len(head) + 14])]
        if found := [place for place in places if least <= place <= len(head)]:
            return _ended(head[: found[-1]])
    if pauses := [match.start() for match in _CJK_PAUSE.finditer(head, least)]:
        return _ended(head[: pauses[-1]])
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` columns; a longer one is cut between words, with an ellipsis."""
    if _fits(text, limit):
        return text
    head = _head(text, limit - len(ELLIPSIS))
    if text[len(head) : len(head) + 1] == " ":
        return _ended(head)
    word = head.rpartition(" ")[0]
    return _ended(word if columns(word) > limit // 3 else head)


def brief(title: str, text: str, limit: int) -> str:
    """Return a text for the line after its title: it doesn't repeat the name that the title begins with.

    Args:
        title: such as `MiniCPM4: Ultra-Efficient LLMs on End Devices`.
        text: such as `MiniCPM4, a family of models, achieves …`, of which `Achieves …` is left.
        limit: the most columns.
    """
    name = title.partition(":")[0].strip()
    rest = text
    if ":" in title and len(name) < len(text) and text[: len(name)].casefold() == name.casefold():
        rest = re.sub(r"^(?: \([^()]{1,40}\))?(?:, (?:an?|the) [^,.;:]{3,140},)? ", "", text[len(name) :], count=1)
        rest = rest if rest[:1].islower() and rest.partition(" ")[0].isalpha() else text
        rest = _BEING.sub("", rest, count=1)
    if text[: len(title)].casefold() == title.casefold():
        rest = text[len(title) :].lstrip(" .:;,–—-")  # noqa: RUF001 -- dashes
    return clause(rest[:1].upper() + rest[1:] if rest is not text else text, limit)


def _width(char: str) -> int:
    return 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1


def _fits(text: str, limit: int) -> bool:
    if text.isascii():
        return len(text) <= limit
    return (columns(text[: limit + 1]) <= limit and len(text) <= max(limit, 0)) or (
        len(text) <= 2 * limit and columns(text) <= limit  # with combining marks
    )


def _head(text: str, limit: int) -> str:
    """Return as much of a text as fits, never a part of what is shown as one character."""
    text = text[: 2 * max(limit, 0) + 1]
    if not _ODD.search(text):
        return text[: max(limit, 0)]
    sums = [0, *accumulate(map(_width, text))]
    end = next((place for place in range(len(text), -1, -1) if sums[place] <= limit), 0)
    while 0 < end < len(text) and (_continues(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[:end]


def _continues(char: str) -> bool:
    """Return whether a character belongs to the one before it."""
    return bool(combining(char)) or char in {_JOINER, "\ufe0e", "\ufe0f"}


def _ended(head: str) -> str:
    """Return a beginning without what it must not end with, and an ellipsis."""
    head = head.rstrip(_ENDS)
    while " " in head and _DANGLING.fullmatch(head.rpartition(" ")[2]):
        head = head.rpartition(" ")[0].rstrip(_ENDS)
    return head + ELLIPSIS

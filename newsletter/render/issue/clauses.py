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
# What stands between a name and what is said of it: its short form, and what it is.
_OF_NAME = re.compile(r"(?: \([^()]{1,40}\))?(?P<what>, (?:an?|the) [^,.;:]{3,140},)? (?=[a-z])")
_GOES_ON = re.compile(r"[\w ,'\u2019]")
_BEING = re.compile(r"is (?=(?:an?|the) )")
# With these words no line begins that has lost its name.
_NEEDS_NAME = re.compile(
    r"(?:is|are|was|were|has|have|had|does|do|did|can|could|may|might|must|should|will|would|and|or|as|at|by|for|from|in|"
    r"of|on|to|via|with|that|which|when|where) "
)
_ENDS = " ,;:-–—([{"  # noqa: RUF001 -- dashes
# Characters that may be two columns wide, or none; Latin, Greek, punctuation and mathematical signs are not.
_ODD = re.compile(r"[\u0300-\u036f\u0400-\u1fff\u2300-\U0010ffff]")
_LEAST = 0.5  # of the room has to be used by a clause


def columns(text: str) -> int:
    """Return how many columns a text takes in a font of one width."""
    return sum(map(_width, text)) if _ODD.search(text) else len(text)


def fits(text: str, limit: int) -> bool:
    """Return whether a text takes at most `limit` columns, and twice as many characters with combining marks."""
    if text.isascii():
        return len(text) <= limit
    return (columns(text[: limit + 1]) <= limit and len(text) <= max(limit, 0)) or (
        len(text) <= 2 * limit and columns(text) <= limit  # with combining marks
    )


def clause(text: str, limit: int) -> str:
    """Return a text of at most `limit` columns: whole, or without its appositive, or up to the end of a clause."""
    if fits(text, limit):
        return text
    shorter = _APPOSITIVE.sub(r"\1 ", text[: 3 * limit], count=1) if _APPOSITIVE.match(text) else text
    if len(text) <= 3 * limit and fits(shorter, limit):
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
    if fits(text, limit):
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
    rest = _without_name(title, text)
    return clause(rest[:1].upper() + rest[1:] if rest is not text else text, limit)


def _without_name(title: str, text: str) -> str:
    """Return a text without the title or its name that it begins with; or whole, if the rest reads badly."""
    name = title.partition(":")[0].strip() if ":" in title else ""
    for known in (title, name):
        if not known or text[: len(known)].casefold() != known.casefold():
            continue
        rest = text[len(known) :]
        if known is title and not _GOES_ON.match(rest):  # a sentence of its own
            return rest.lstrip(_ENDS + ".")
        if said := _said(rest):
            return said
    return text


def _said(rest: str) -> str:
    """Return what a text says of the name that stood before it; empty where that would not read well by itself."""
    between = _OF_NAME.match(rest)
    if between is None:
        return ""
    said = rest[between.end() :]
    if being := _BEING.match(said):
        return said[being.end() :]
    word = said.partition(" ")[0]
    is_verb = between["what"] is None or word.endswith(("s", "ly"))  # else what it is goes on
    return said if is_verb and word.isalpha() and not _NEEDS_NAME.match(said) else ""


def _width(char: str) -> int:
    return 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1


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

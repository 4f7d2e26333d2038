"""Which of the languages that there are suits a tag or a browser's wishes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

# Where Chinese is written in traditional characters; elsewhere it is in simplified ones (CLDR, likely subtags).
_TRADITIONAL = {"hant", "tw", "hk", "mo"}
_MOST_WISHES = 50  # of a browser that are read; they have some five


def matching(tag: str, known: Collection[str]) -> str | None:
    """Return the language that suits a tag, such as `pt` for `pt-BR`, or None (Lookup of RFC 4647, 3.4).

    Args:
        tag: a language tag (RFC 5646).
        known: the tags of the languages that there are.
    """
    parts = tag.lower().replace("_", "-").split("-")
    if parts[0] == "zh":  # its scripts are further apart than the words of most languages
        parts = ["zh", "hant" if _TRADITIONAL.intersection(parts) and "hans" not in parts else "hans"]
    by_lower = {one.lower(): one for one in known}
    candidates = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((by_lower[one] for one in candidates if one in by_lower), None)


def preferred(wishes: str, known: Collection[str]) -> str | None:
    """Return the language that suits a browser's wishes best, or None.

    Args:
        wishes: the header Accept-Language (RFC 9110, 12.5.4), such as `de-AT, de;q=0.9, en;q=0.5`.
        known: the tags of the languages that there are.
    """
    by_weight = sorted(_weighted(wishes), key=lambda wish: -wish[0])
    suiting = (matching(tag, known) for _, tag in by_weight)
    return next((found for found in suiting if found), None)


def _weighted(wishes: str) -> Iterator[tuple[float, str]]:
    """Yield the languages with their weights, without those that are unwanted and what can't be read."""
    for wish in wishes.split(",", _MOST_WISHES)[:_MOST_WISHES]:
        tag, _, weight = (part.strip() for part in wish.partition(";"))
        try:
            quality = float(weight.removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if tag and quality > 0:
            yield quality, tag

"""Invented listing pages in the two shapes that browsers give."""

from __future__ import annotations

CLAIM = (
    "We study how {0} behaves when it grows, which few have done with care until now, and find three things. "
    "First, what holds for the small does not hold for the large (by 54.6\\% on average). Second, the data matter "
    "more than the model. Third, both can be measured ahead of time, at a cost of mathcal{{O}}(n) in the number "
    "of examples."
)
TITLES = (
    "Growing Gardens of Attention",
    "On the Taste of Tokens: A Survey",
    "lowercase2vec at Shared Task 7 : Small Words",
)


def abstract(title: str) -> str:
    return CLAIM.format(title)


def dense(*titles: str) -> str:
    head = ["Get trending papers in your email inbox once a day!", "Get trending papers in your email inbox!"]
    lines = [line for title in titles for line in (title, abstract(title))]
    return "\n".join([*head, "Subscribe" + lines[0], *lines[1:]])


def spaced(*blocks: str, day: str = "Apr 15") -> str:
    head = ["new", "Get trending papers in your email inbox!", "Subscribe", "Daily Papers"]
    return "\n\n".join([*head, "byEditors and the whole community", day, *blocks])


def block(title: str, *details: str) -> str:
    """Return a paper of a spaced page; details such as `4 authors`, `Mar 2, 2023 1`."""
    behind = "\n·\n".join(details)
    return f"{title}\n\n{abstract(title)}" + (f"\n\n  • {behind}" if details else "")

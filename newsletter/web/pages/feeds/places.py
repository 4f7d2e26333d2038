"""The addresses of feeds. Pure.

daily/feed.atom                  the papers of a list's sources, as they become known
daily/issues.atom                its issues
daily/topics/agents/feed.atom    the papers on a topic

Each is there as `.rss` and `.json`, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.render.site.feeds import WRITERS

_FEED = re.compile(
    rf"""
    (?P<list>[^/]+)/
    (?: (?P<kind>feed|issues) | topics/(?P<topic>[A-Za-z0-9.~+_-]{{1,600}})/feed )
    \.(?P<ending>{"|".join(WRITERS)})
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPlace:
    """A feed of a list; `topic` is a topic's name in a path, or nothing. `ending` names the format."""

    list: str
    ending: str
    is_of_issues: bool = False
    topic: str = ""

    @property
    def page(self) -> str:
        """Return the address of the page that shows the same, from the site's root."""
        if self.topic:
            return f"{self.list}/topics/{self.topic}/"
        return f"{self.list}/archive/" if self.is_of_issues else f"{self.list}/"

    @property
    def address(self) -> str:
        """Return the address of the feed, from the site's root."""
        folder = self.page if self.topic else f"{self.list}/"
        return f"{folder}{'issues' if self.is_of_issues else 'feed'}.{self.ending}"


def read_feed_place(address: str) -> FeedPlace | None:
    """Return what an address names; None: no feed."""
    found = _FEED.fullmatch(address)
    if found is None:
        return None
    return FeedPlace(
        list=found["list"],
        ending=found["ending"],
        is_of_issues=found["kind"] == "issues",
        topic=found["topic"] or "",
    )

"""Fits a reader's mail to its size, so that no mail program clips it.

How long each listing is in its form is known once the page is compiled. What a mail has no room for is left out:
first what stands in brief, from its end, then days, then cards. The lead stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from newsletter.core.layout import Sections
from newsletter.render.mime.pieces import Slot
from newsletter.render.mime.segments import Arrangement

BUDGET = 95_000  # bytes of the HTML part; Gmail clips a page after about 102,000

LONGEST_NAME = 60  # columns of a reader's name that the mail shows

# The most bytes of each of a reader's values, escaped: of a column of the name, `&quot;` and a mark above it.
_ROOM = {"name": (6 + 4) * LONGEST_NAME, "email": 600}
_ROOM_FOR_LINKS = 300


def excess_of(page: Arrangement, links: Mapping[str, int]) -> int:
    """Return by how many bytes the HTML part may be too long for some reader; 0: it fits.

    Args:
        page: the part.
        links: the most bytes of each link of a reader, by the name of its slot, as far as they are known.
    """
    most = max(_ROOM_FOR_LINKS, *_ROOM.values(), *links.values())
    if page.size + len(page.marks) * most <= BUDGET:  # as nearly always
        return 0
    return max(page.size + room(page.slots, links) - BUDGET, 0)


def room(slots: Iterable[Slot], links: Mapping[str, int]) -> int:
    """Return how many bytes the values of readers may take in a page.

    Args:
        slots: where they stand.
        links: as `excess_of` takes them.
    """
    known = {**_ROOM, **links}
    return sum(known.get(slot.name, _ROOM_FOR_LINKS) for slot in slots)


def fewer(shown: Sections, sizes: Mapping[str, Mapping[int, int]], excess: int) -> Sections:
    """Return the sections without as many listings as it takes to make the mail shorter.

    Args:
        shown: the sections.
        sizes: the bytes of each listing, by section and position.
        excess: by how many bytes the mail is too long.
    """
    left_out = set()
    for section, position in _last_first(shown):
        if excess <= 0:
            break
        left_out.add(position)
        excess -= sizes.get(section, {}).get(position, 0)
    return shown.without(frozenset(left_out))


def _last_first(shown: Sections) -> Iterator[tuple[str, int]]:
    """Yield section and position of what may be left out, what matters least first."""
    named = shown.named
    days = [(position, name) for name in named if name.startswith("day_") for position in named[name]]
    yield from (("brief", position) for position in reversed(shown.brief))
    yield from ((name, position) for position, name in sorted(days, reverse=True))
    yield from (("also_today", position) for position in reversed(shown.also_today))
    yield from (("for_you", position) for position in reversed(shown.for_you))

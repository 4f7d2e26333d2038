"""A reader's own wishes, held against what their list offers. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from newsletter.core.languages import matching
from newsletter.core.newsletter_list import WEEKDAYS, Cadence, NewsletterList
from newsletter.core.subscriber import Wishes


class Dropped(NamedTuple):
    """A wish that a list cannot meet: a field of `Wishes`, and the value that was dropped from it."""

    field: str
    value: str


def fitted(
    wishes: Wishes, list_: NewsletterList, languages: Collection[str]
) -> tuple[Wishes, tuple[Dropped, ...]]:
    """Return the wishes as far as a list can meet them, and what was dropped.

    Dropped are topics that the list has not, days on which it does not come out, daily issues of a weekly list,
    and languages that there are no words for.

    Args:
        wishes: the reader's.
        list_: their list.
        languages: the tags of those that there are words for.
    """
    dropped = [Dropped("topics", name) for name in wishes.topics if name not in list_.topics]
    topics = tuple(name for name in dict.fromkeys(wishes.topics) if name in list_.topics)
    days = wishes.days
    if days is not None:
        dropped += [Dropped("days", WEEKDAYS[day]) for day in days if day not in list_.days]
        days = tuple(sorted(set(days).intersection(list_.days))) or None
    cadence = wishes.cadence
    if list_.cadence is Cadence.WEEKLY and cadence is Cadence.DAILY:
        dropped.append(Dropped("cadence", cadence))
        cadence = None
    language = wishes.language
    if language is not None:
        language = matching(language, languages)
        if language is None:
            dropped.append(Dropped("language", str(wishes.language)))
    return wishes._replace(topics=topics, days=days, cadence=cadence, language=language), tuple(dropped)

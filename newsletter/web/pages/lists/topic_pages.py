"""The topics of a list, and the papers on each: the newest, and those of a month."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import blake2b
from itertools import groupby
from typing import Any

from newsletter.core.listing import Listing
from newsletter.core.page_names import in_path
from newsletter.core.searching import SearchIndex
from newsletter.core.topics import Topic, matches
from newsletter.render.site.orders import Order, in_order, part
from newsletter.render.site.papers import ShownPaper
from newsletter.web.pages.lists.drawing import Drawing, Setting, pages_of
from newsletter.web.pages.lists.places import TopicPapers, address_of, following, of_topic
from newsletter.web.pages.lists.reading import ListReader, Reach

_NEWEST = timedelta(days=30)
_WORDS = 6  # of a topic that are shown
_REMEMBERED = 50_000  # papers


@dataclass(frozen=True, slots=True)
class TopicMemory:
    """Which topics papers are on, remembered: finding out takes a millisecond for each paper.

    Several threads use it at once: each looks a paper up once, and keeps by itself what it found.
    """

    _known: OrderedDict[bytes, frozenset[str]] = field(default_factory=OrderedDict)

    def of(self, topics: Mapping[str, Topic], listings: Sequence[Listing]) -> list[frozenset[str]]:
        """Return the names of the topics that each listing is on."""
        asked = repr(sorted(topics.items()))
        names = [_digest(asked, repr(listing)) for listing in listings]
        known = {name: on for name in names if (on := self._known.get(name)) is not None}
        missing = {name: listing for name, listing in zip(names, listings, strict=True) if name not in known}
        found = matches(SearchIndex(list(missing.values())), topics) if missing else {}
        for position, name in enumerate(missing):
            known[name] = frozenset(topic for topic, places in found.items() if position in places)
        self._known.update((name, known[name]) for name in missing)
        for _ in range(len(self._known) - _REMEMBERED):
            self._known.popitem(last=False)
        return [known[name] for name in names]


def _digest(*texts: str) -> bytes:
    return blake2b("\0".join(texts).encode("utf-8", "replace"), digest_size=16).digest()


async def topics_page(reader: ListReader, setting: Setting, memory: TopicMemory) -> Drawing | None:
    """Return the page with all topics of a list: what each is about, and how many new papers are on it."""
    known = setting.known
    reach = await reader.reach(known, setting.now)
    if not known.topics:
        return None
    papers = await reader.between(known, reach.last - _NEWEST, reach.last) if reach else ()

    def values() -> dict[str, Any]:
        on = memory.of(known.topics, [one.paper.listing for one in papers])
        return {
            **setting.shared("topics"),
            "shown": [
                {
                    "name": name,
                    "address": address_of(of_topic(known.name, name)),
                    "about": ", ".join(words_of(topic)[:_WORDS]),
                    "papers": sum(name in topics for topics in on),
                }
                for name, topic in known.topics.items()
            ],
            "days": _NEWEST.days,
        }

    updated = await reader.listed.updated_at(known.sources, reach.first, reach.last) if reach else None
    return Drawing(template="topics", values=values, changed_at=updated)


async def topic_page(
    reader: ListReader, setting: Setting, place: TopicPapers, memory: TopicMemory
) -> Drawing | None:
    """Return the papers on a topic, the newest days first; None: there is no such topic, month or page."""
    known = setting.known
    name = next((one for one in known.topics if in_path(one) == place.topic), None)
    reach = await reader.reach(known, setting.now)
    if name is None or (place.month and (reach is None or not _is_within(place.month, reach))):
        return None
    since, until = _time(place.month, reach) if reach else (None, None)
    papers = await reader.between(known, since, until) if since and until else ()
    topic = {name: known.topics[name]}
    on = await asyncio.to_thread(memory.of, topic, [one.paper.listing for one in papers])
    # What was listed earlier for the first time stands in that month.
    fitting = [one for one, topics in zip(papers, on, strict=True) if topics and _is_of(one, since)]
    here = part(sorted(in_order(fitting, Order.UPVOTED), key=_first_listed, reverse=True), place.number)
    if here is None:
        return None
    here = replace(here, papers=await reader.with_summaries(known, here.papers))

    def values() -> dict[str, Any]:
        days = [(day, list(group)) for day, group in groupby(here.papers, key=_first_listed)]
        groups = [(day, setting.views(group, in_full=0)) for day, group in days]
        return {
            **setting.shared("topics"),
            "topic": name,
            "about": ", ".join(words_of(topic[name])[:_WORDS]),
            "n_papers": len(fitting),
            "month": place.month,
            "groups": groups,
            "is_by_model": any(shown["is_by_model"] for _, shown in groups),
            "months": _months(place, reach) if reach else [],
            "paged": pages_of(here, lambda number: address_of(following(place, number))),
        }

    updated = await reader.listed.updated_at(known.sources, since, until) if since and until else None
    return Drawing(template="topic", values=values, changed_at=updated, pages=here.pages)


def words_of(topic: Topic) -> tuple[str, ...]:
    """Return what a topic is found by."""
    return (*topic.keywords, *topic.categories, *topic.authors, *topic.organizations)


def _first_listed(one: ShownPaper) -> date:
    return one.paper.first_listed_on


def _is_of(one: ShownPaper, since: date | None) -> bool:
    return since is not None and since <= one.paper.first_listed_on


def _is_within(month: date, reach: Reach) -> bool:
    return reach.first.replace(day=1) <= month <= reach.last


def _time(month: date | None, reach: Reach) -> tuple[date, date]:
    """Return the first and the last day of a month, or of the newest papers."""
    if month is None:
        return reach.last - _NEWEST, reach.last
    after = (month + timedelta(days=31)).replace(day=1)
    return month, min(after - timedelta(days=1), reach.last)


def months_of(reach: Reach) -> list[date]:
    """Return the first days of all months that something is known of, newest first."""
    months = [reach.last.replace(day=1)]
    while months[-1] > reach.first:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def _months(place: TopicPapers, reach: Reach) -> list[tuple[date, str, bool]]:
    """Return all months, newest first: each with its address, and whether it is this one."""
    return [
        (month, address_of(replace(place, month=month, number=1)), month == place.month)
        for month in months_of(reach)
    ]

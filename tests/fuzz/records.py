"""Records of the sources that answer in JSON, saved pages and JSON lines: any field may hold anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from newsletter.core.listing import Skipped
from newsletter.sources.reading.records import Record, Seen, each, page
from newsletter.sources.saved_page import papers
from tests.fuzz.target import Target, mutated, text_target
from tests.sources.pages import TITLES, block, dense, spaced
from tests.sources.test_fuzz import DAY, MISSING, NOW, READERS, assert_safe, paths, rebuilt

_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    0.5,
    math.nan,
    "",
    [],
    {},
    [[]],
    {"name": None},
    ["x"] * 3_000,
    MISSING,
    "9999-99-99",
)


def _checked(found: Iterable[Seen | Skipped]) -> None:
    read = page("fuzz", DAY, NOW, found)
    for entry in read.entries:
        assert_safe(entry.listing)
    assert all("\n" not in skipped.what + skipped.reason for skipped in read.skipped)


def _record_target(name: str, read: Callable[[Record], Seen | None], record: dict[str, Any]) -> Target:
    places = paths(record)

    def make(random: Random) -> Any:
        changes = {}
        for place in random.sample(places, k=random.randint(1, 4)):
            texts = tuple(value for value in _texts(record) if value)
            changes[place] = random.choice(_ODD) if random.random() < 0.4 else mutated(random, texts)
        return rebuilt(record, changes)

    def longer(text: str) -> Any:
        return rebuilt(record, {place: text for place in places if isinstance(_at(record, place), str)})

    return Target(
        name=f"{name} records",
        area="records",
        make=make,
        check=lambda raw: _checked(each([raw], read)),
        longer=longer,
    )


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _texts(record: dict[str, Any]) -> list[str]:
    return [value for place in paths(record) if isinstance(value := _at(record, place), str)]


TARGETS: tuple[Target, ...] = (
    *(_record_target(name, *reader) for name, reader in READERS.items()),
    text_target(
        "saved pages",
        "records",
        lambda text: _checked(papers(text, DAY)),
        (spaced(block(TITLES[0], "4 authors", "Mar 2, 2023 1")), dense(*TITLES)),
        longest=100_000,
    ),
)

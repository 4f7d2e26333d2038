"""The first issue of a list, which is sent at once where the list's hour of today has passed already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from newsletter.core.calendar import SlotState
from newsletter.core.errors import ListFileError
from newsletter.pipeline.editions import edition_at
from newsletter.ports import ListFile, Store


class FirstIssue(NamedTuple):
    """A list that has no issue yet and whose first one is due now, and how many readers its files name."""

    list: str
    readers: int


async def first_issues_due(store: Store, files: Iterable[ListFile], *, now: datetime) -> list[FirstIssue]:
    """Return the lists whose first issue is due by now. A list whose members file is wrong is left out.

    Args:
        store: the ledger.
        files: the lists.
        now: the moment, aware.
    """
    found = []
    for file in files:
        name = file.list.name
        if await store.issues.outline(name) is not None:
            continue
        edition = await edition_at(store, file.list, now=now)
        if edition.state is not SlotState.DUE:
            continue
        try:
            found.append(FirstIssue(name, (await asyncio.to_thread(file.roster.check)).members))
        except ListFileError:  # the work itself names what is wrong
            continue
    return found

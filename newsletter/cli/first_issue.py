"""The first issue of a list, which is sent at once where the list's hour of today has passed already."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from newsletter.cli.session import now
from newsletter.core.errors import ListFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from newsletter.bootstrap import Program
    from newsletter.ports import ListFile


class FirstIssue(NamedTuple):
    """A list that has no issue yet and whose first one is due now, and how many readers its files name."""

    list: str
    readers: int


async def first_issues_due(program: Program, files: Iterable[ListFile]) -> list[FirstIssue]:
    """Return the lists whose first issue is due by now. A list whose members file is wrong is left out."""
    import asyncio

    from newsletter.core.calendar import SlotState
    from newsletter.pipeline.editions import edition_at

    found = []
    for file in files:
        name = file.list.name
        if await program.store.issues.outline(name) is not None:
            continue
        edition = await edition_at(program.store, file.list, now=now())
        if edition.state is not SlotState.DUE:
            continue
        try:
            found.append(FirstIssue(name, (await asyncio.to_thread(file.roster.check)).members))
        except ListFileError:  # the work itself names what is wrong
            continue
    return found

"""People who come from another program's export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.core.incoming import Incoming
from newsletter.core.subscriber import Origin
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import Barred
from newsletter.ports import Store, Suppression


class Outcome(StrEnum):
    """What becomes of a person who is imported."""

    ADDED = "added"
    KNOWN = "known"  # the list has them already, and their wishes stay
    SUPPRESSED = "suppressed"  # they left there, or their address was dead
    STAYS_OUT = "stays out"  # they left here, or their address is suppressed
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a person of an export, and why if they were not added."""

    line: int
    email: str
    outcome: Outcome
    why: str = ""


async def import_all(
    store: Store,
    list_name: str,
    people: Sequence[Incoming],
    *,
    of_file: str,
    now: datetime,
    rehearsal: bool = False,
) -> list[Imported]:
    """Put people on a list, and suppress there who left in the other program; return what became of each.

    Args:
        store: the ledger.
        list_name: the list.
        people: each address once, but for those that are skipped.
        of_file: the name of the file that they come from, for the evidence of suppressions.
        now: aware, UTC.
        rehearsal: change nothing, and return what would become of them.
    """
    coming = [one for one in people if not (one.barred or one.skipped)]
    members = [one.member for one in coming]
    if rehearsal:
        left_out = await store.subscribers.left_out(list_name, members)
    else:
        # First, so that a second import of the files in another order brings nobody back.
        await store.suppressions.add(_suppressions(list_name, people, of_file, now), now=now)
        left_out = await store.subscribers.add_all(list_name, members, Origin.IMPORT, now=now)
    return [_imported(one, left_out) for one in people]


def _imported(one: Incoming, left_out: Mapping[str, Barred | None]) -> Imported:
    """Return what becomes of a person, given who is left as they were, and why."""
    key = one.member.address_key
    if one.skipped:
        outcome, why = Outcome.SKIPPED, one.skipped
    elif one.barred:
        outcome, why = Outcome.SUPPRESSED, one.barred
    elif key not in left_out:
        outcome, why = Outcome.ADDED, ""
    elif (barred := left_out[key]) is None:
        outcome, why = Outcome.KNOWN, "is on the list already"
    else:
        outcome, why = Outcome.STAYS_OUT, str(barred)
    return Imported(one.line, one.member.email, outcome, why)


def _suppressions(list_name: str, people: Iterable[Incoming], of_file: str, now: datetime) -> list[Suppression]:
    """Return the suppressions of those who are barred in the other program.

    Who asked to leave left that list. A dead address, or one that complained, is so for all lists.
    """
    return [
        Suppression(
            address=one.member.email,
            list=list_name if one.barred == "unsubscribed" else None,
            reason=one.barred,
            since=now,
            by=SuppressedBy.IMPORT,
            evidence=f"{of_file}, line {one.line}",
        )
        for one in people
        if one.barred and not one.skipped
    ]

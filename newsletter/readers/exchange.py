"""People who come from another program's export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from newsletter.core.incoming import Incoming
from newsletter.core.subscriber import Origin
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Store, Suppression

_AT_ONCE = 500  # suppressions in a transaction: in between, others can write


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
        wanted = _suppressions(list_name, people, of_file, now)
        while some := list(islice(wanted, _AT_ONCE)):
            await store.suppressions.add(some, now=now)
        left_out = await store.subscribers.add_all(list_name, members, Origin.IMPORT, now=now)
    found = []
    for one in people:
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
        found.append(Imported(one.line, one.member.email, outcome, why))
    return found


def _suppressions(
    list_name: str, people: Iterable[Incoming], of_file: str, now: datetime
) -> Iterator[Suppression]:
    for one in people:
        if one.barred and not one.skipped:
            # Who asked to leave left that list. A dead address, or one that complained, is so for all lists.
            on = list_name if one.barred == "unsubscribed" else None
            yield Suppression(
                address=one.member.email,
                list=on,
                reason=one.barred,
                since=now,
                by=SuppressedBy.IMPORT,
                evidence=f"{of_file}, line {one.line}",
            )

"""What to do where a ledger is copied into another database, by what both say of earlier attempts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from newsletter.core.errors import UsageError


class Side(StrEnum):
    """What a database is to a copying."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyMark:
    """What a database says of the copying that it is, or was, a side of.

    Attributes:
        token: the copying's name; both sides have it.
        side: what this database is to it.
        other: the name of the other database, for messages.
        revision: that of the tables when it began.
        is_done: whether the copy is whole. A source is out of use from the beginning, a target until it is whole.
    """

    token: str
    side: Side
    other: str
    revision: str
    is_done: bool


class Step(Enum):
    """What is to be done."""

    BEGIN = auto()  # empty the target of what an earlier attempt left, and copy all
    GO_ON = auto()  # copy what the target lacks
    END = auto()  # the target is whole, and the source doesn't say so yet


def next_step(
    source: CopyMark | None,
    target: CopyMark | None,
    *,
    source_name: str,
    target_name: str,
    revision: str,
    is_empty: bool,
) -> Step:
    """Return what is to be done to have the whole ledger in the target.

    Args:
        source: the mark of the ledger.
        target: the mark of the database that it is to go to.
        source_name: for messages.
        target_name: for messages.
        revision: of the tables on both sides.
        is_empty: whether the target holds nothing of a ledger.

    Raises:
        UsageError: it cannot be done; says why, and what can be.
    """
    is_half = target is not None and target.side is Side.TARGET and not target.is_done
    if source is not None and source.side is Side.TARGET and not source.is_done:
        raise UsageError(f"{source_name}: holds half a copy of {source.other}, and no ledger: copy that one")
    if source is not None and source.side is Side.SOURCE:
        if source.is_done:
            raise UsageError(f"{source_name}: {out_of_use(source)}")
        if target is None or target.token != source.token:
            raise UsageError(
                f"{source_name}: is being copied to {source.other}: name that one to go on, or give that copy up "
                "by `newsletter db copy SOURCE --reopen`"
            )
        if target.is_done:
            return Step.END
        return Step.GO_ON if revision == target.revision else Step.BEGIN
    if is_half or is_empty:
        return Step.BEGIN
    raise UsageError(f"{target_name}: holds a ledger already; name an empty database")


class OutOfUse(NamedTuple):
    """Why a database is not to be used, and what to do."""

    why: str
    what_to_do: str

    def __str__(self) -> str:
        """Return both."""
        return f"{self.why}: {self.what_to_do}"


def out_of_use(mark: CopyMark | None) -> OutOfUse | None:
    """Return why a database with a mark is not to be used; None: it may be."""
    if mark is None or (mark.side is Side.TARGET and mark.is_done):
        return None
    if mark.side is Side.TARGET:
        why = f"holds half a copy of {mark.other}, which is the ledger until it is whole"
        return OutOfUse(why, "finish it by `newsletter db copy SOURCE TARGET`")
    if mark.is_done:
        why = f"was copied to {mark.other}, which is the ledger since"
        what_to_do = (
            "set NEWSLETTER_DATABASE__URL to that. `newsletter db copy SOURCE --reopen` lets this one be used "
            "again; then never use the other"
        )
        return OutOfUse(why, what_to_do)
    what_to_do = (
        "finish that by `newsletter db copy SOURCE TARGET`, or give it up by `newsletter db copy SOURCE --reopen`"
    )
    return OutOfUse(f"is being copied to {mark.other}", what_to_do)

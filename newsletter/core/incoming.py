"""People who come from another program's export."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.subscriber import Member


@dataclass(frozen=True, slots=True)
class Incoming:
    """A person of an export, with the line of their row.

    `barred` says why they get no mail there, `skipped` why they are left out; else both are empty.
    """

    line: int
    member: Member
    barred: str = ""
    skipped: str = ""

"""People who come from another program's export."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.subscriber import Member


@dataclass(frozen=True, slots=True)
class Incoming:
    """A person of an export: why they get no mail there (`barred`), or are left out (`skipped`); else both are ""."""

    line: int
    member: Member
    barred: str = ""
    skipped: str = ""

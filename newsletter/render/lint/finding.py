"""Findings of the checks, and the rules that say why they matter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious a finding is: a failure stops the issue, a warning does not."""

    FAILURE = "failure"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The spot in a mail that a finding is about, for a program that shows the mail.

    It is an element of the HTML part, by its tag and how many elements of that tag stand before it; or a header
    field, by its name; or a line of the whole message or of the text part, from 1.
    """

    tag: str = ""
    index: int = 0
    header: str = ""
    source_line: int = 0
    text_line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A mistake in a mail: what, where, and why it matters. `spot` is None where it is about the whole mail."""

    rule: str
    level: Level
    where: str
    message: str
    why: str
    spot: Spot | None = None

    def __str__(self) -> str:
        """Return one line for a terminal."""
        return f"{self.level}: {self.where}: {self.message} [{self.rule}] {self.why}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that mails must follow."""

    name: str
    why: str
    level: Level = Level.FAILURE

    def found(self, where: str, message: str, level: Level | None = None, *, spot: Spot | None = None) -> Finding:
        """Return a finding of this rule, with the rule's level unless `level` is given."""
        return Finding(
            rule=self.name, level=level or self.level, where=where, message=message, why=self.why, spot=spot
        )

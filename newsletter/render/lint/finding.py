"""Findings of the checks, and the rules that say why they matter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious a finding is: a failure stops the issue, a warning does not."""

    FAILURE = "failure"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A mistake in a mail: what, where, and why it matters."""

    rule: str
    level: Level
    where: str
    message: str
    why: str

    def __str__(self) -> str:
        """Return one line for a terminal."""
        return f"{self.level}: {self.where}: {self.message} [{self.rule}] {self.why}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that mails must follow."""

    name: str
    why: str
    level: Level = Level.FAILURE

    def found(self, where: str, message: str, level: Level | None = None) -> Finding:
        """Return a finding of this rule, with the rule's level unless `level` is given."""
        return Finding(rule=self.name, level=level or self.level, where=where, message=message, why=self.why)

"""What `newsletter doctor` finds: whether all is well, check by check, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How something does."""

    OK = "ok"
    WARN = "warn"  # it works, and may not for long or not everywhere; or it could not be checked
    FAIL = "fail"  # mail does not go out, or does not arrive, as long as it is so


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check says.

    Attributes:
        check: its name, such as `spf`.
        status: how it went.
        says: what was found, as a sentence without a full stop.
        do: what the operator is to do about it, likewise; nothing where all is well.
    """

    check: str
    status: Health
    says: str
    do: str = ""


def ok(check: str, says: str) -> Diagnosis:
    """Return that all is well."""
    return Diagnosis(check, Health.OK, says)


def warn(check: str, says: str, do: str) -> Diagnosis:
    """Return that something may become trouble, or could not be checked."""
    return Diagnosis(check, Health.WARN, says, do)


def fail(check: str, says: str, do: str) -> Diagnosis:
    """Return that something is broken."""
    return Diagnosis(check, Health.FAIL, says, do)


def told_apart(kind: Callable[[str, str, str], Diagnosis], check: str, mistake: str) -> Diagnosis:
    """Return a mistake in a file with its advice apart.

    Args:
        kind: `fail` or `warn`.
        check: the name of the check.
        mistake: as the program tells it: `place: what is wrong: what to write instead`.
    """
    says, colon, do = mistake.rpartition(": ")
    subject = says.rpartition(": ")[2]
    if colon and subject.isupper():  # a setting, of which only is said what to write
        return kind(check, f"{says} is wrong", do)
    return kind(check, says, do) if colon and subject != says else kind(check, mistake, "mend it")

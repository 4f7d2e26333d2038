"""Alarms: what an operator is told of, once from when it begins, and once more when it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.errors import (
    ConfigurationError,
    LintError,
    ListFileError,
    MassRemovalError,
    MissedError,
    NewsletterError,
    RenderError,
    SourceError,
)

RAISED, OVER = "alarm.raised", "alarm.over"  # the kinds of notices that tell of an alarm
MAIL, WEBHOOK = "alarm:mail", "alarm:webhook"  # who is told, by the names in the ledger

# For so long alarms that are over are kept.
KEPT_FOR = timedelta(days=365)
# An alarm that lasts is noted and logged again after so long.
_SEEN_EVERY = timedelta(minutes=10)


class Cause(StrEnum):
    """A kind of trouble. The subject of an alarm is what stands behind it here."""

    LIST_FILE = "list-file"  # a list
    MASS_REMOVAL = "mass-removal"  # a list
    LINT = "lint"  # a list
    TEMPLATE = "template"  # a list
    MISSED = "missed"  # a list
    SOURCES = "sources"  # a list of which no source could be read
    TROUBLE = "trouble"  # a list
    NO_ISSUE = "no-issue"  # a list that should have its issue by now
    SOURCE_SILENT = "source-silent"  # a source
    BOUNCES = "bounces"  # a list
    COMPLAINTS = "complaints"  # a list
    STUCK = "stuck"  # a list
    RELAY = "relay"  # a relay, `host:port`
    TOKEN = "token"  # noqa: S105 (a relay or a mailbox, `host:port`)
    NO_WORKER = "no-worker"  # a queue of jobs
    RESTORED = "restored"  # the ledger
    LEDGER = "ledger"  # the ledger
    DISK = "disk"  # a folder
    SUMMARIES = "summaries"  # a model


# An issue could not be made. It is over once the list has an issue again, or was found to need none.
OF_ISSUE = frozenset({Cause.LINT, Cause.TEMPLATE, Cause.MISSED, Cause.SOURCES, Cause.TROUBLE, Cause.NO_ISSUE})
# The files of a list are not applied. It is over once they are right.
OF_FILES = frozenset({Cause.LIST_FILE, Cause.MASS_REMOVAL})
# The subject of these is a list.
OF_LISTS = OF_ISSUE | OF_FILES | {Cause.BOUNCES, Cause.COMPLAINTS, Cause.STUCK}
# Mail goes out in spite of these.
HARMLESS = frozenset({Cause.SOURCE_SILENT, Cause.BOUNCES, Cause.COMPLAINTS, Cause.DISK, Cause.SUMMARIES})

# The first that fits counts: what is special stands before what is general.
_BY_ERROR: tuple[tuple[type[Exception], Cause], ...] = (
    (MassRemovalError, Cause.MASS_REMOVAL),
    (ListFileError, Cause.LIST_FILE),
    (LintError, Cause.LINT),
    (RenderError, Cause.TEMPLATE),
    (MissedError, Cause.MISSED),
    (SourceError, Cause.SOURCES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Trouble that an operator is told of. Moments are aware, in UTC.

    Attributes:
        id: what tells it from every other one, an earlier one of the same cause and subject too.
        cause: what kind of trouble.
        subject: what it is about: a list, a relay, a source.
        reason: what was found last, in one line.
        day: of the issue that it is about, if any.
        since: when it was found first.
        seen_at: when it was found last.
        over_at: when it was found to be over; None: it lasts.
    """

    id: str
    cause: Cause
    subject: str
    reason: str
    day: date | None
    since: datetime
    seen_at: datetime
    over_at: datetime | None = None


class Found(StrEnum):
    """What it means for an alarm that its trouble is found."""

    NEW = "new"  # it is told
    LASTING = "lasting"  # it is noted that it lasts
    KNOWN = "known"  # nothing is to be done


def found(known: Alarm | None, reason: str, now: datetime) -> Found:
    """Return what it means that trouble is found.

    Args:
        known: the alarm of this cause and subject that lasts; None: there is none.
        reason: what is found now.
        now: the present moment, aware; the clock may have been set back since.
    """
    if known is None:
        return Found.NEW
    if known.reason != reason or not timedelta() <= now - known.seen_at < _SEEN_EVERY:
        return Found.LASTING
    return Found.KNOWN


def cause_of(error: NewsletterError | ConfigurationError) -> Cause:
    """Return what kind of trouble it is that an issue cannot be made for this reason."""
    return next((cause for kind, cause in _BY_ERROR if isinstance(error, kind)), Cause.TROUBLE)

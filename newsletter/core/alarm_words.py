"""What is said of alarms: what happened, and what to do about it. Pure.

It is for operators, so it is English.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.core.alarms import OF_ISSUE, OF_LISTS, Alarm, Cause


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is said of a cause; `{subject}` and `{day}` stand for those of the alarm."""

    headline: str
    problem: str
    advice: str


_NO_ISSUE = "no issue of {day}"

_WORDS = {
    Cause.LIST_FILE: _Kind(
        "a mistake in the file of list {subject}",
        "The file of the list holds a mistake, so no new issue is made. Issues that were made before are still "
        "delivered, and other lists go on.",
        "The command newsletter lists check names all mistakes. Once they are fixed, the list goes on by itself.",
    ),
    Cause.MASS_REMOVAL: _Kind(
        "many readers would be removed from {subject}",
        "The files of the list name many readers no longer, so nobody is removed and no new issue is made. Issues "
        "that were made before are still delivered, and other lists go on.",
        "The command newsletter subscribers plan names them. Complete the file, or run newsletter subscribers "
        "apply with the option --allow-mass-removal.",
    ),
    Cause.LINT: _Kind(
        _NO_ISSUE,
        "A check of the finished mail failed, so nothing was sent.",
        "The command newsletter lint names all that it finds. Once that is fixed, the next run sends the issue.",
    ),
    Cause.TEMPLATE: _Kind(
        _NO_ISSUE,
        "A template or the theme of the list is wrong, so there was no mail to send.",
        "Fix the place that is named; newsletter preview shows the result. The next run sends the issue.",
    ),
    Cause.MISSED: _Kind(
        _NO_ISSUE,
        "The hour of the list has passed, and its deadline too, without an issue.",
        "Let newsletter run at least once between the hour of the list and its deadline. The papers compete for "
        "the next issue.",
    ),
    Cause.SOURCES: _Kind(
        _NO_ISSUE,
        "None of the list's sources could be read, so there was nothing to send.",
        "The next run asks them again; newsletter collect asks them now.",
    ),
    Cause.TROUBLE: _Kind(
        "a run broke off before the issue of {day} was sent",
        "The run broke off: the issue was not made, or not all of it was sent.",
        "The next run goes on with it; its log says why. The command newsletter status says what was sent.",
    ),
    Cause.NO_ISSUE: _Kind(
        "no issue of {day} yet",
        "The hour of the list has passed, and its issue is still not made.",
        "The command newsletter run --list {subject} makes it now and says what is in the way.",
    ),
    Cause.SOURCE_SILENT: _Kind(
        "the source {subject} is silent",
        "The source brings nothing, for longer than it ever did on such days.",
        "Look at the source in a browser. If it has moved, change the sources of the list.",
    ),
    Cause.BOUNCES: _Kind(
        "many mails of {subject} come back",
        "More mails were refused or came back than providers put up with.",
        "The command newsletter deliveries list --state refused says why. Remove addresses that did not ask for "
        "the mail, and close the sign-up if strangers bring them.",
    ),
    Cause.COMPLAINTS: _Kind(
        "readers of {subject} call it spam",
        "More readers complained than providers put up with; they are unsubscribed.",
        "See where these readers come from, and whether each of them asked for the mail. Above 0.3 % large "
        "providers refuse all of it.",
    ),
    Cause.STUCK: _Kind(
        "mails of {subject} do not get on",
        "Deliveries are open for longer than half the deadline of the list; after all of it they are withdrawn.",
        "The command newsletter status says what holds them up. Repair a relay that is in trouble, or add one.",
    ),
    Cause.RELAY: _Kind(
        "the relay {subject} takes no mail",
        "The relay has been in trouble for a while. Mail waits, or goes by another relay if there is one.",
        "The command newsletter doctor tries it. See to its login, its certificate and its limits.",
    ),
    Cause.TOKEN: _Kind(
        "no login at {subject}",
        "The token for the login could not be renewed.",
        "Give the program access anew: docs/relays.md says how.",
    ),
    Cause.NO_WORKER: _Kind(
        "no worker takes the jobs of {subject}",
        "Jobs are due that no living worker takes. Their mail waits, unless a scheduler delivers it instead.",
        "Start newsletter worker, or see why it ended. The command newsletter status names the workers that live.",
    ),
    Cause.RESTORED: _Kind(
        "the ledger is an older copy, or a new one",
        "The database is older than the one that was used last, or empty in its place, so nothing is sent: what "
        "went out since would go out again.",
        "Put the newer one back, or say how far it went: newsletter run says what is wrong, docs/backup.md what "
        "to do.",
    ),
    Cause.LEDGER: _Kind(
        "the ledger cannot be used",
        "The database cannot be read or written, so nothing is made and nothing is sent.",
        "See whether its disk is full, and whether it can be reached at NEWSLETTER_DATABASE__URL.",
    ),
    Cause.DISK: _Kind(
        "little room is left in {subject}",
        "When the disk is full, nothing is sent any more.",
        "Make room, or move the folder to a larger disk.",
    ),
    Cause.SUMMARIES: _Kind(
        "the model {subject} writes no summaries",
        "The model answers no requests for summaries. Mail goes out in time, with the abstracts.",
        "The command newsletter doctor asks the model once and says what to change.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmWords:
    """What is said of an alarm.

    Attributes:
        headline: the trouble in a few words, to follow a colon.
        problem: what happened, a sentence or two.
        advice: what to do.
    """

    headline: str
    problem: str
    advice: str


def words_of(alarm: Alarm) -> AlarmWords:
    """Return what is said of an alarm."""
    kind = _WORDS[alarm.cause]
    values = {"subject": alarm.subject, "day": _in_words(alarm.day)}
    return AlarmWords(
        headline=kind.headline.format(**values), problem=kind.problem, advice=kind.advice.format(**values)
    )


def headline(alarm: Alarm) -> str:
    """Return the trouble in a few words, with the list where they do not name it: `daily: no issue of today`."""
    words = words_of(alarm).headline
    if alarm.cause in OF_ISSUE:
        return f"{alarm.subject}: {words}"
    return words[:1].upper() + words[1:]


def told_of(alarm: Alarm) -> dict[str, Any]:
    """Return what webhooks are told of an alarm, as JSON values; mails and chats are written from it."""
    words = words_of(alarm)
    return {
        "cause": alarm.cause.value,
        "subject": alarm.subject,
        "list": alarm.subject if alarm.cause in OF_LISTS else None,
        "day": alarm.day.isoformat() if alarm.day else None,
        "headline": words.headline,
        "problem": words.problem,
        "reason": alarm.reason,
        "advice": words.advice,
        "since": alarm.since.isoformat(timespec="seconds"),
        "over_at": alarm.over_at.isoformat(timespec="seconds") if alarm.over_at else None,
    }


def _in_words(day: date | None) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}" if day else "today"

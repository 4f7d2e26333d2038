"""The operator's alarm: an issue cannot be made. It rings once a list, day and cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from newsletter.core.delivery import DeliveryState, message_id
from newsletter.core.errors import (
    LintError,
    ListFileError,
    MassRemovalError,
    MissedError,
    NewsletterError,
    RelayError,
    RenderError,
    SourceError,
)
from newsletter.core.newsletter_list import Masthead
from newsletter.core.text import one_line
from newsletter.ports import Clock, Mailer, OperatorAlarm
from newsletter.render.issue.catalogues import SOURCE
from newsletter.render.issue.language import language
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.single import single_message

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer

log = structlog.get_logger(__name__)

FOLDER = "alarms"  # in the state folder
_LONGEST_REASON = 1000  # characters that are read back


@dataclass(frozen=True, slots=True)
class _Cause:
    """A kind of trouble, and what its mail says of it; without a headline: that there is no issue of the day."""

    name: str
    problem: str
    advice: str
    headline: str = ""


# The first that fits counts: what is special stands before what is general.
_CAUSES: dict[type[Exception], _Cause] = {
    MassRemovalError: _Cause(
        "mass-removal",
        "The files of the list name many readers no longer, so nobody is removed and no new issue is made. Issues "
        "that were made before are still delivered, and other lists go on.",
        "The command newsletter subscribers plan names them. Complete the file, or run newsletter subscribers "
        "apply with the option --allow-mass-removal.",
        "many readers would be removed",
    ),
    ListFileError: _Cause(
        "list-file",
        "The file of the list holds a mistake, so no new issue is made. Issues that were made before are still "
        "delivered, and other lists go on.",
        "The command newsletter lists check names all mistakes. Once they are fixed, the list goes on by itself.",
        "a mistake in its list file",
    ),
    LintError: _Cause(
        "lint",
        "A check of the finished mail failed, so nothing was sent.",
        "The command newsletter lint names all that it finds. Once that is fixed, the next run sends the issue.",
    ),
    RenderError: _Cause(
        "template",
        "A template or the theme of the list is wrong, so there was no mail to send.",
        "Fix the place that is named; newsletter preview shows the result. The next run sends the issue.",
    ),
    MissedError: _Cause(
        "missed",
        "The hour of the list has passed, and its deadline too, without an issue.",
        "Let newsletter run at least once between the hour of the list and its deadline. The papers compete for "
        "the next issue.",
    ),
    SourceError: _Cause(
        "sources",
        "None of the list's sources could be read, so there was nothing to send.",
        "The next run asks them again; newsletter collect asks them now.",
    ),
}
_OTHER = _Cause("trouble", "The run ended before there was an issue.", "The next run tries again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(OperatorAlarm):
    """Reports trouble to the operator: in the log, and by one mail where `to` names an address.

    Files in `folder` show which alarms have rung and why (`rung` reads them), so that neither a scheduler which
    tries again all the time nor a second process rings again.
    """

    to: str
    templates: TemplateRenderer
    packaged: TemplateRenderer  # without the operator's own templates, which may be what is wrong
    mailer: Mailer
    signer: Signer | None
    folder: Path
    clock: Clock

    @override
    async def ring(self, masthead: Masthead, day: date, error: NewsletterError | ListFileError) -> None:
        cause = next((known for kind, known in _CAUSES.items() if isinstance(error, kind)), _OTHER)
        mark = self.folder / f"{day}.{masthead.list}.{cause.name}"
        about = {"list": masthead.list, "day": str(day), "cause": cause.name}
        try:
            is_news = _is_news(mark, str(error))
        except OSError as failure:
            log.error("alarm_not_remembered", **about, reason=str(failure))  # noqa: TRY400 (one line)
            is_news = False
        if not is_news:
            log.warning("issue_failed", **about, reason=str(error))
            return
        log.error("issue_failed", **about, reason=str(error))
        if not self.to:
            return
        try:
            await self._mail(masthead, day, cause, str(error))
        except NewsletterError as failure:
            mark.unlink(missing_ok=True)
            log.error("alarm_not_mailed", **about, reason=str(failure))  # noqa: TRY400 (one line)

    async def _mail(self, masthead: Masthead, day: date, cause: _Cause, reason: str) -> None:
        masthead = replace(masthead, language=SOURCE)  # what is said to operators is English
        sender = Mailbox.parse(masthead.sender)
        values = {
            "headline": cause.headline or f"no issue of {language(SOURCE).long_date(day)}",
            "problem": cause.problem,
            "details": [("Reason", reason)],
            "advice": cause.advice,
        }
        try:
            content = self.templates.mail("alarm", {"masthead": masthead, **values})
        except RenderError:
            plain = replace(masthead, theme={})
            content = self.packaged.mail("alarm", {"masthead": plain, **values})
        raw = single_message(
            sender=masthead.sender,
            to=Mailbox("", self.to),
            content=content,
            date=self.clock(),
            message_id=message_id(f"{masthead.list} alarm {cause.name}", day, self.to, sender.domain),
            signer=self.signer,
        )
        outcome = await self.mailer.send(sender.address, wire_address(self.to), raw)
        if outcome.state is not DeliveryState.SENT:
            raise RelayError(f"{outcome.relay} answered {outcome.code} {outcome.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RungAlarm:
    """An alarm that has rung: of which list and day, for what cause, when (aware, UTC) and why."""

    list: str
    day: date
    cause: str
    at: datetime
    reason: str


def rung(folder: Path, *, limit: int) -> list[RungAlarm]:
    """Return the alarms that have rung last, the newest first; those of older versions tell no reason.

    Args:
        folder: that of `Alarm`.
        limit: how many at most.
    """
    found = []
    for mark in folder.glob("*.*.*"):
        day, _, rest = mark.name.partition(".")
        name, _, cause = rest.rpartition(".")
        try:
            of, at = date.fromisoformat(day), datetime.fromtimestamp(mark.stat().st_mtime, UTC)
            found.append(RungAlarm(list=name, day=of, cause=cause, at=at, reason=_why(mark)))
        except (OSError, ValueError):  # it is gone meanwhile, or no file of ours
            continue
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def _why(mark: Path) -> str:
    with mark.open(encoding="utf-8", errors="replace") as file:
        return one_line(file.read(_LONGEST_REASON), _LONGEST_REASON)


def _is_news(mark: Path, reason: str) -> bool:
    """Make the file that shows that an alarm has rung, and return whether it had not rung before.

    Of two processes at once, only one makes the file.
    """
    mark.parent.mkdir(parents=True, exist_ok=True)
    try:
        with mark.open("x", encoding="utf-8") as file:
            file.write(reason)
    except FileExistsError:
        return False
    return True

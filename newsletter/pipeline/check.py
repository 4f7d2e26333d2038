"""The last look at an issue's mail, before the issue is frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog

from newsletter.core.choice import Choice
from newsletter.core.delivery import Delivery, DeliveryState
from newsletter.core.errors import LintError
from newsletter.core.issue import Issue
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import TEST_COPY
from newsletter.ports import Message
from newsletter.render.lint import Finding, Level, lint

log = structlog.get_logger(__name__)

_NOBODY = "reader@example.org"


def nobody(list_name: str) -> Subscriber:
    """Return a made-up reader of a list, without wishes."""
    return Subscriber(list=list_name, email=_NOBODY)


def for_nobody(issue: Issue, reader: Subscriber | None = None) -> Delivery:
    """Return a delivery of an issue that no store knows, whose links change nothing for anybody.

    It brings what somebody without wishes gets.

    Args:
        issue: the issue.
        reader: whose message it is; None: a made-up reader without wishes.
    """
    return Delivery(
        key=0,
        issue_key=issue.key,
        subscriber_key=TEST_COPY,
        subscriber=reader or nobody(issue.list),
        state=DeliveryState.QUEUED,
        due_at=issue.frozen_at,
        choice=Choice.first(issue.length),
        subject=issue.subject,
    )


@dataclass(slots=True, kw_only=True)
class IssueCheck:
    """Checks the final bytes of each language of an issue, and logs what could be better once an issue.

    Attributes:
        is_local: whether every relay is on this machine.
    """

    is_local: bool
    _issue: tuple[str, date, datetime] | None = None  # the one that was checked last, and what was logged of it
    _logged: set[tuple[str, str, str]] = field(default_factory=set)

    def __call__(self, issue: Issue, message: Message) -> None:
        """Check what an issue was rendered to.

        Raises:
            LintError: the issue must not go out as it is; names the first failure.
        """
        _, raw = message.for_reader(for_nobody(issue))
        findings = lint(raw, issue, is_local=self.is_local)
        self._log(issue, findings)
        failures = [finding for finding in findings if finding.level is Level.FAILURE]
        if failures:
            more = f" (and {len(failures) - 1} more: `newsletter lint`)" if len(failures) > 1 else ""
            raise LintError(f"{issue.list} {issue.day}: {failures[0].where}: {failures[0].message}{more}")

    def _log(self, issue: Issue, findings: Iterable[Finding]) -> None:
        one = issue.list, issue.day, issue.frozen_at
        if one != self._issue:
            self._issue, self._logged = one, set()
        for finding in findings:
            said = finding.rule, finding.where, finding.message
            if said not in self._logged:
                self._logged.add(said)
                log.warning("lint", list=issue.list, rule=said[0], where=said[1], message=said[2])

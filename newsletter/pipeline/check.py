"""The last look at an issue's mail, before the issue is frozen."""

from __future__ import annotations

import structlog

from newsletter.core.choice import Choice
from newsletter.core.delivery import Delivery, DeliveryState
from newsletter.core.errors import LintError
from newsletter.core.issue import Issue
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import TEST_COPY
from newsletter.ports import Message
from newsletter.render.lint import Level, lint

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


def check_issue(issue: Issue, message: Message, *, is_local: bool = False) -> None:
    """Check the final bytes of an issue's message, and log what could be better.

    Args:
        issue: the issue.
        message: what it was rendered to.
        is_local: whether every relay is on this machine.

    Raises:
        LintError: the issue must not go out as it is; names the first failure.
    """
    _, raw = message.for_reader(for_nobody(issue))
    findings = lint(raw, issue, is_local=is_local)
    for finding in findings:
        log.warning("lint", list=issue.list, rule=finding.rule, where=finding.where, message=finding.message)
    failures = [finding for finding in findings if finding.level is Level.FAILURE]
    if failures:
        more = f" (and {len(failures) - 1} more: `newsletter lint`)" if len(failures) > 1 else ""
        raise LintError(f"{issue.list} {issue.day}: {failures[0].where}: {failures[0].message}{more}")

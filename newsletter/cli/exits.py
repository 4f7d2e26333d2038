"""Exit codes (sysexits.h where it has one), and the errors that lead to them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from newsletter.core.errors import (
    ConfigurationError,
    LintError,
    NewsletterError,
    NothingNewError,
    RenderError,
    StoppedError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsletter.pipeline.report import RunReport


class Exit(IntEnum):
    """What a command ends with."""

    DONE = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 69
    TEMPORARY = 75
    CONFIGURATION = 78


def code_of(error: Exception) -> Exit:
    """Return the exit code of an error that ended a command."""
    if isinstance(error, (ConfigurationError, RenderError)):
        return Exit.CONFIGURATION
    if isinstance(error, UsageError):
        return Exit.USAGE
    if isinstance(error, (LintError, NothingNewError)):
        return Exit.CHECK_FAILED
    if isinstance(error, StoppedError):
        return Exit.TEMPORARY
    if isinstance(error, NewsletterError):
        return Exit.UNAVAILABLE
    return Exit.CHECK_FAILED


def code_of_run(reports: Sequence[RunReport]) -> Exit:
    """Return the exit code of a run over lists; that of the first trouble only if nothing at all could be done."""
    from newsletter.pipeline.report import RunStatus

    every = [edition for report in reports for edition in report.editions]
    statuses = {report.status for report in every}
    if statuses == {RunStatus.FAILED}:
        troubles = [report.trouble for report in every if report.trouble]
        code = code_of(troubles[0]) if troubles else Exit.UNAVAILABLE
        has_sent = any(report.sent_now for report in every)  # what was left of earlier issues
        return Exit.TEMPORARY if code is Exit.UNAVAILABLE and has_sent else code
    if statuses & {RunStatus.FAILED, RunStatus.PARTIAL}:
        return Exit.TEMPORARY
    return Exit.DONE

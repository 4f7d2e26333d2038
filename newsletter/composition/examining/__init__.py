"""The composition of `newsletter doctor`: its checks, made of the settings, whatever state all else is in."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from newsletter.bootstrap import utc_now
from newsletter.composition.examining.parts import Parts
from newsletter.core.diagnosis import Diagnosis, fail, ok, told_apart
from newsletter.core.errors import ConfigurationError
from newsletter.operations.doctor.examination import Check, examined

if TYPE_CHECKING:
    from newsletter.settings import Settings

_WITHIN = 30.0  # seconds, for all checks
_OF_DNS = 25.0  # … of which DNS has so many
_WITHIN_TRIAL = 90.0  # seconds, for a mail there and back


async def examine(settings: Settings, *, list_name: str | None = None, send_to: str = "") -> list[Diagnosis]:
    """Return how everything does that mail depends on.

    Args:
        settings: the settings.
        list_name: the only list whose mail is looked at; None: all.
        send_to: an address that gets a mail, which is read back; empty: none is sent.
    """
    from newsletter.composition.examining.checks import Checks
    from newsletter.composition.examining.domains import DomainChecks
    from newsletter.composition.examining.trying import send_and_look

    async with AsyncExitStack() as closing:
        parts = Parts(settings, closing, list_name)
        checks = Checks(parts, send_to)
        found = [ok("settings", "no mistake in .env and the environment")]
        of_domains = DomainChecks(parts, within=_OF_DNS)
        found += await examined([*checks.before_dns(), of_domains.check(), *checks.after_dns()], within=_WITHIN)
        if send_to:
            trial = Check("test-mail", lambda: send_and_look(parts, send_to))
            found += await examined([trial], within=_WITHIN_TRIAL)
        return found


def unreadable_settings(error: ConfigurationError) -> list[Diagnosis]:
    """Return what is wrong with settings; nothing else can be looked at."""
    return [told_apart(fail, "settings", line) for line in str(error).splitlines()]


def keep(settings: Settings, found: list[Diagnosis]) -> None:
    """Keep what was found for the operator's pages, where there is a state folder that can be written."""
    from contextlib import suppress

    from newsletter.operations.doctor.kept import FILE, Examination, content_of
    from newsletter.whole_files import write_whole

    folder = settings.paths.state
    if folder.is_dir():
        with suppress(OSError):  # a full disk, or one that is only read, is said by its check
            write_whole(folder / FILE, content_of(Examination(utc_now(), tuple(found))), mode=0o600)

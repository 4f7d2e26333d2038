"""Where log lines go and what they look like: to stderr, for people or as JSON lines.

What is bound with `structlog.contextvars` (list, day and issue that work is done for) is on every line.
No line holds the whole address of anybody.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from newsletter.core.text import without_addresses

if TYPE_CHECKING:
    from structlog.types import Processor

    from newsletter.settings.groups import LogSettings


def configure_logging(settings: LogSettings, *, quiet: bool = False) -> None:
    """Log to stderr as the settings say, with the standard library's warnings among our own lines.

    Args:
        settings: the level and the form.
        quiet: whether to log nothing, whatever the settings say: the command itself says what is wrong.
    """
    with _as_if_without("rich"):  # structlog would load it for tracebacks in colour, which are not printed
        import structlog

    level = max(level_of(settings), logging.CRITICAL if quiet else logging.DEBUG)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _without_addresses,
            *(_for_machines() if settings.format == "json" else _for_people()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(message)s")


def level_of(settings: LogSettings) -> int:
    """Return the number of the level from which on is logged."""
    return logging.getLevelNamesMapping()[settings.level.upper()]


@contextmanager
def _as_if_without(library: str) -> Iterator[None]:
    """Let a library seem not to be installed to what is imported meanwhile, unless it is loaded already."""
    modules: dict[str, Any] = sys.modules
    if library in modules:
        yield
        return
    modules[library] = None
    try:
        yield
    finally:
        del modules[library]


def _without_addresses(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave of each mail address the domain: logs are kept for long, and read by many.

    What relays and files say holds addresses of readers. Numbers of deliveries lead to them.
    """
    for name, value in event.items():
        if isinstance(value, str) and "@" in value:
            event[name] = without_addresses(value)
    return event


def _for_machines() -> tuple[Processor, ...]:
    import structlog

    return (
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    )


def shows_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that is to show colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _for_people() -> tuple[Processor, ...]:
    import structlog

    # Who looks at a terminal looks at a clock of theirs; what is kept in a file says which clock it was.
    is_terminal = sys.stderr.isatty()
    stamp = structlog.processors.TimeStamper(
        fmt="%H:%M:%S" if is_terminal else "%Y-%m-%dT%H:%M:%SZ", utc=not is_terminal
    )
    # structlog's usual tracebacks show the values of variables, secrets and addresses among them.
    return (
        stamp,
        structlog.dev.ConsoleRenderer(
            colors=shows_colour(sys.stderr), exception_formatter=structlog.dev.plain_traceback
        ),
    )

"""A process that delivers for the one that people started: `main` is its whole program.

It is told the settings by its input, as the other has them: they hold secrets, and the files may have changed.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import IO, TYPE_CHECKING

from newsletter.core.errors import ConfigurationError, NewsletterError

if TYPE_CHECKING:
    from newsletter.settings import Settings

_ENDED_BY_ANOTHER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Deliver by orders from stdin, and tell news on stdout, until stdin ends."""
    # Service managers and terminals signal all processes of a service: what then happens is the other's decision.
    for known in _ENDED_BY_ANOTHER:
        signal.signal(known, signal.SIG_IGN)
    orders, news = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # whatever is printed is no news
    settings, cores = _greeting(orders)
    from newsletter.logs import configure_logging

    configure_logging(settings.log)  # first, so that it loads structlog, without what only terminals need
    from newsletter.scheduling import loop as runtime

    signs_in_threads = settings.dkim.key_file is not None and cores > 1  # see `cli.session`
    pipes = os.fdopen(orders, "rb", buffering=0), os.fdopen(news, "wb", buffering=0)
    runtime.run(_work(settings, cores, *pipes), fast=not signs_in_threads)


def _greeting(orders: int) -> tuple[Settings, int]:
    """Read the settings, and how many cores are this process's."""
    from newsletter.delivery.processes.lines import LENGTH

    size = LENGTH.unpack(_read(orders, LENGTH.size))[0]
    settings, cores = pickle.loads(_read(orders, size))  # noqa: S301 - the program that started this one wrote it
    return settings, cores


def _read(pipe: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        some = os.read(pipe, size - len(found))
        if not some:
            sys.exit(0)  # who started this process is gone
        found += some
    return found


async def _work(settings: Settings, cores: int, *pipes: IO[bytes]) -> None:
    from newsletter import bootstrap
    from newsletter.delivery.processes.at_work import connect_pipes, log_by, obey
    from newsletter.logs import level_of

    reader, say = await connect_pipes(*pipes)
    log_by(say, level_of(settings.log))
    import structlog

    try:
        async with bootstrap.build(settings) as program:
            program.cores = cores
            await obey(program.delivery, program.closed.message_for, reader, say)
    except (ConfigurationError, NewsletterError) as error:
        structlog.get_logger(__name__).error("delivery_process_failed", reason=str(error))
        raise SystemExit(1) from None

"""The composition of who delivers, from the settings: this process, or workers.

What it is made of is imported in its functions: most ledgers are files, which have no workers.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from newsletter.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from newsletter.delivery.inline import Inline
    from newsletter.ports import ChunkDelivery, Clock, Dispatcher, Outbox, Store
    from newsletter.scheduling.queue.jobs import ProcrastinateJobs
    from newsletter.settings import Settings

_EXTRA = "the extra `cluster` is not installed: `pip install 'newsletter[cluster]'`"


def jobs_for_workers(settings: Settings) -> ProcrastinateJobs | None:
    """Return the jobs that workers take; None: this process delivers, always.

    Raises:
        ConfigurationError: the settings ask for workers that there cannot be.
    """
    chosen = settings.delivery.dispatcher
    reason = "" if chosen == "inline" else _no_workers(settings)
    if chosen == "inline" or (reason and chosen == "automatic"):
        return None
    if reason:
        raise ConfigurationError(f"NEWSLETTER_DELIVERY__DISPATCHER=procrastinate: {reason}")
    from newsletter.scheduling.queue.jobs import ProcrastinateJobs
    from newsletter.store import conninfo_of, name_of

    url = settings.database.url.get_secret_value()
    return ProcrastinateJobs(conninfo_of(url), name_of(url), waits_for_workers=chosen == "procrastinate")


def require_jobs(settings: Settings) -> ProcrastinateJobs:
    """Return the jobs that this process is to take as a worker.

    Raises:
        ConfigurationError: there are none by these settings; says which one to change.
    """
    if settings.delivery.dispatcher == "inline":
        raise ConfigurationError(
            "NEWSLETTER_DELIVERY__DISPATCHER=inline: there is nothing for workers to do; write automatic or "
            "procrastinate"
        )
    jobs = jobs_for_workers(settings)
    if jobs is None:
        raise ConfigurationError(f"`newsletter worker`: {_no_workers(settings)}")
    return jobs


def dispatcher(
    settings: Settings, jobs: ProcrastinateJobs | None, store: Store, here: Dispatcher, clock: Clock
) -> Dispatcher:
    """Return who sees to it that issues are delivered.

    Args:
        settings: the settings.
        jobs: what workers are asked to do; None: there are no workers.
        store: the ledger.
        here: delivers in this process.
        clock: returns the present moment.
    """
    if jobs is None:
        return here
    from newsletter.scheduling.queue.handing_over import ToWorkers

    waits = settings.delivery.dispatcher == "procrastinate"
    return ToWorkers(jobs, store.live_workers, store.outbox, here, clock, waits_for_workers=waits)


def inline(made: Callable[[], ChunkDelivery], settings: Settings, outbox: Outbox, clock: Clock) -> Inline:
    """Return what delivers in this process, by the delivery that `made` returns when it is first needed."""
    from newsletter.delivery.inline import Inline
    from newsletter.parts.keeping import announced
    from newsletter.parts.late import LateDelivery

    return Inline(announced(LateDelivery(made), settings, outbox, clock))


def _no_workers(settings: Settings) -> str:
    """Return why there can be no workers, or nothing."""
    from newsletter.store import is_postgresql

    if not is_postgresql(settings.database.url.get_secret_value()):
        return "workers need PostgreSQL: set NEWSLETTER_DATABASE__URL=postgresql://user:password@host/name"
    return "" if find_spec("procrastinate") else _EXTRA


async def bring_tables_up_to_date(settings: Settings) -> None:
    """Make the tables of the jobs, or bring them up to date, where there may be workers.

    Raises:
        StoreError: the database cannot be reached or changed.
    """
    if _no_workers(settings):
        return
    from newsletter.scheduling.queue import engine, tables
    from newsletter.store import conninfo_of, name_of

    url = settings.database.url.get_secret_value()
    with engine.errors_of(name_of(url)):
        await tables.bring_up_to_date(conninfo_of(url))

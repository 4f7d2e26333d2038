"""The ledger, opened as the settings say, and the jobs by which workers learn what it has to deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from newsletter.parts.dispatching import jobs_for_workers

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from newsletter.core.tokens import Links
    from newsletter.ports import Store
    from newsletter.scheduling.queue.jobs import ProcrastinateJobs
    from newsletter.settings import Settings


class Ledger(NamedTuple):
    """The ledger, and the jobs for workers; None: there are no workers."""

    store: Store
    jobs: ProcrastinateJobs | None


async def opened(settings: Settings, links: Links, closing: AsyncExitStack) -> Ledger:
    """Return the ledger; it is closed with `closing`.

    Raises:
        ConfigurationError: the URL names no known kind of database, or one that has no workers.
        StoreError: the ledger cannot be opened.
    """
    from newsletter.core.erasure import AddressHashes
    from newsletter.settings.webhooks import endpoints_of
    from newsletter.store import open_store

    hashes = AddressHashes((links.secret_key, *links.former_keys))
    listeners = tuple(one.listener for one in endpoints_of(settings.webhooks))
    url, jobs = settings.database.url.get_secret_value(), jobs_for_workers(settings)
    if jobs is not None:
        closing.push_async_callback(jobs.close)
    is_made = not settings.web.secret_key.get_secret_value()
    store = await open_store(url, hashes=hashes, listeners=listeners, jobs=jobs, key_is_made=is_made)
    closing.push_async_callback(store.close)
    return Ledger(store, jobs)

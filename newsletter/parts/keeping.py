"""The composition of what keeps the ledger on a branch, where the settings ask for it.

What it is made of is imported in its functions: most ledgers stay where they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.core.errors import ConfigurationError

if TYPE_CHECKING:
    from newsletter.ports import ChunkDelivery, Clock, LedgerKeeper, Outbox
    from newsletter.settings import Settings


def ledger_keeper(settings: Settings) -> LedgerKeeper | None:
    """Return what keeps the ledger on a branch; None where nothing does, or the ledger is no file.

    Raises:
        ConfigurationError: the secret key is not set.
    """
    from newsletter.store import sqlite_file

    ledger = sqlite_file(settings.database.url.get_secret_value())
    if not settings.database.branch or ledger is None:
        return None
    key = settings.web.secret_key.get_secret_value()
    if not key:  # one that is kept beside the ledger would be gone with the machine
        raise ConfigurationError(
            "NEWSLETTER_WEB__SECRET_KEY: is missing: the ledger on the branch that NEWSLETTER_DATABASE__BRANCH "
            "names is sealed with it"
        )
    from newsletter.store.branch.git import Branch
    from newsletter.store.branch.ledger_branch import LedgerBranch

    return LedgerBranch(
        ledger=ledger,
        state=settings.paths.state,
        secrets=(key, *(former.get_secret_value() for former in settings.web.former_secret_keys)),
        branch=Branch(Path.cwd(), settings.database.branch),
    )


def announced(delivery: ChunkDelivery, settings: Settings, outbox: Outbox, clock: Clock) -> ChunkDelivery:
    """Return a delivery that announces what it sends, where the ledger is kept on a branch.

    Raises:
        ConfigurationError: as `ledger_keeper` does.
    """
    keeper = ledger_keeper(settings)
    if keeper is None:
        return delivery
    from newsletter.delivery.announced import AnnouncedDelivery

    return AnnouncedDelivery(delivery=delivery, keeper=keeper, outbox=outbox, clock=clock)

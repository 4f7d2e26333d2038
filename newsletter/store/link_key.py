"""Which key signs links, so that machines that share a ledger notice when one of them has another key."""

from __future__ import annotations

import sqlalchemy as sa
import structlog

from newsletter.core.errors import ConfigurationError
from newsletter.store.engine import NO_SECRET, Database
from newsletter.store.tables import ledger

log = structlog.get_logger(__name__)


async def require_link_key(database: Database, *, is_made: bool) -> None:
    """Find out whether this machine signs links as others do that use the same PostgreSQL; the first says how.

    Args:
        database: the ledger; its hashes have the key. Where it was opened without, nobody makes links.
        is_made: whether this program made the key. What the operator sets is right, and known from then on.

    Raises:
        ConfigurationError: the key was made here, and the ledger knows another one.
    """
    if not database.is_postgresql or database.hashes is NO_SECRET:
        return
    now, *former = database.hashes.key_ids
    async with database.read() as connection:
        known = await connection.scalar(sa.select(ledger.c.key_id))
    if known == now:
        return
    if known is not None and is_made and known not in former:
        raise ConfigurationError(
            f"{database.where}: links in its mails are signed with another key than the one that this machine has "
            "made (secret_key in NEWSLETTER_PATHS__STATE): put the file of the first machine there, or set "
            "NEWSLETTER_WEB__SECRET_KEY to the same value on all of them"
        )
    if known is not None and known not in former:
        log.warning(
            "link_key_changed",
            reason="links in mails that were sent before no longer work: name the former key in "
            "NEWSLETTER_WEB__FORMER_SECRET_KEYS",
        )
    async with database.write() as connection:
        still = ledger.c.key_id.is_not_distinct_from(known)
        noted = (await connection.execute(sa.update(ledger).where(still).values(key_id=now))).rowcount
    if not noted:  # another machine was the first
        await require_link_key(database, is_made=is_made)

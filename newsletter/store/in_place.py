"""Whether a database is the ledger, and not one that was copied elsewhere, or half a copy."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.errors import ConfigurationError
from newsletter.core.ledger_copies import OutOfUse, out_of_use
from newsletter.store.copy_tables import SELECT_MARK, mark_of


async def require_in_place(connection: AsyncConnection, where: str) -> None:
    """Find out whether a database may be used.

    Args:
        connection: to it; its tables are up to date.
        where: its name, for the message.

    Raises:
        ConfigurationError: another one is the ledger; says which, and what to do.
    """
    if reason := await reason_out_of_use(connection):
        raise ConfigurationError(f"{where}: {reason}")


async def reason_out_of_use(connection: AsyncConnection) -> OutOfUse | None:
    """Return why a database is not the ledger; None: it is."""
    return out_of_use(mark_of((await connection.execute(SELECT_MARK)).first()))

"""Whether a pooled connection still leads to PostgreSQL, found out without asking the server.

Before each transaction SQLAlchemy's pool asks the server whether it is there. That takes as long as one of the
transaction's own statements. But a server that ends a connection says so, and an idle connection tells nothing
else: as long as there is nothing to be read, it is open. A server that is gone without a word is found out by the
kernel (`keepalives` in `newsletter.store.engine`), which then has an error to be read.
"""

from __future__ import annotations

import select
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine


def ping_rarely(engine: AsyncEngine) -> None:
    """Let an engine of PostgreSQL with `pool_pre_ping` ask the server only if there is something to be read."""
    dialect = engine.sync_engine.dialect
    ask = dialect.do_ping

    def do_ping(connection: Any) -> bool:
        driver = dialect.get_driver_connection(connection)
        if not driver.closed and not _has_word(driver.pgconn.socket):
            return True
        return ask(connection)

    dialect.do_ping = do_ping  # type: ignore[method-assign, assignment]


def _has_word(socket: int) -> bool:
    """Return whether there is something to be read, or an error."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))

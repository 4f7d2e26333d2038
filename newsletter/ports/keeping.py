"""What keeps the ledger where this machine is forgotten after each run."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class LedgerKeeper(Protocol):
    """Keeps copies of the ledger outside of this machine; each takes the place of the one before.

    A copy is kept before mail goes out, in which all of that mail is in flight, and another one afterwards. If the
    second is lost, who works on with the first finds what nobody can know: deliveries that are uncertain.

    What keeps a copy raises:
        BusyElsewhereError: the ledger has been changed elsewhere since it was fetched.
        StoreError: the copy cannot be kept; says why.
    """

    @property
    def name(self) -> str:
        """Return what the place is called in messages."""
        ...

    def pull(self, *, now: datetime, first: bool) -> bool:
        """Put the ledger that is kept into its place on this machine. One that is there is put aside.

        Args:
            now: aware, UTC.
            first: it is no mistake if there is none, as nothing was ever kept.

        Returns:
            Whether there was one.

        Raises:
            BusyElsewhereError: a run elsewhere is delivering mail.
            ConfigurationError: there is none, or none that we can read.
            StoreError: it cannot be fetched, or not be written here.
        """
        ...

    async def begin(self, issue_key: int, *, now: datetime) -> datetime:
        """Keep a copy in which all that is due of an issue is in flight. Nothing may be sent if this raises.

        Args:
            issue_key: the issue.
            now: aware, UTC; what is due by then.

        Returns:
            Until when it may be sent (aware, UTC). Later on, others may go on with the copy.
        """
        ...

    async def keep(self) -> None:
        """Keep a copy of the ledger as it is, with what became of the mail that went out."""
        ...

"""Work that only one process does at a time."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Turns(Protocol):
    """Sees to it that some work is done by one process at a time, over all machines that use the ledger."""

    def alone(self, work: str) -> AbstractAsyncContextManager[bool]:
        """Give whether nobody else does some work now; then nobody does as long as the context lasts.

        When the process that does it ends, however it ends, the next one may.

        Args:
            work: its name: letters and hyphens.

        Raises:
            StoreError: the ledger, or its folder, cannot be used.
        """
        ...

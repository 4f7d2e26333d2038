"""Claims of whatever is due, of whichever issue."""

from __future__ import annotations

from datetime import datetime

from newsletter.core.delivery import Delivery
from newsletter.ports import Outbox


async def claim(outbox: Outbox, worker: str, *, now: datetime, limit: int) -> list[Delivery]:
    """Claim due deliveries of all issues, oldest issue first."""
    claimed: list[Delivery] = []
    for issue_key in await outbox.open_issues():
        left = limit - len(claimed)
        if left:
            claimed += await outbox.claim(worker, issue_key=issue_key, now=now, limit=left)
    return claimed

"""Events become notices, in the transaction in which they happen."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.events import Event, EventType, Listener
from newsletter.core.issue import Issue
from newsletter.core.notices import NoticeState
from newsletter.store.notice_tables import notices


async def note(
    connection: AsyncConnection,
    listeners: Sequence[Listener],
    *events: Event,
    state: NoticeState = NoticeState.WAITING,
) -> None:
    """Write a notice of each event for each who listens, within the caller's transaction.

    Args:
        connection: in a transaction that writes.
        listeners: who is told.
        events: what happened.
        state: `PENDING` where it has not happened yet.
    """
    rows = []
    for event in events:
        number = new_id()
        rows += [
            {
                "id": number,
                "receiver": listener.receiver,
                "kind": event.type.value,
                "at": event.at,
                "data": json.dumps(dict(event.data)),
                "issue_key": event.issue_key,
                "subscriber_key": event.subscriber_key,
                "state": state,
                "attempts": 0,
                "ready_at": event.at if state is NoticeState.WAITING else None,
                "reason": "",
            }
            for listener in listeners
            if event.type in listener.events
        ]
    if rows:
        await connection.execute(sa.insert(notices), rows)


async def note_closed(connection: AsyncConnection, listeners: Sequence[Listener], issue: Issue) -> None:
    """Note that an issue is closed, and that its delivery is to be told when it is done."""
    data = {
        "list": issue.list,
        "day": issue.day.isoformat(),
        "number": issue.number,
        "subject": issue.subject,
        "listings": issue.length,
    }
    closed, delivered = (
        Event(type=kind, at=issue.frozen_at, data=data, issue_key=issue.key)
        for kind in (EventType.ISSUE_CLOSED, EventType.ISSUE_DELIVERED)
    )
    await note(connection, listeners, closed)
    await note(connection, listeners, delivered, state=NoticeState.PENDING)


def new_id() -> str:
    """Return the id of an event or a post, which no other has. It has no full stop, as the specification asks."""
    return f"msg_{secrets.token_hex(16)}"

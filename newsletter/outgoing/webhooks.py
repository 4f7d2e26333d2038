"""Webhooks by the Standard Webhooks specification: https://www.standardwebhooks.com."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from typing_extensions import override

from newsletter.core.errors import SourceError
from newsletter.core.notices import FOR_THREE_DAYS, POST, Notice
from newsletter.core.webhook_signatures import signature
from newsletter.outgoing.receiver import NotTakenError, Receiver
from newsletter.ports import Clock
from newsletter.ports.posting import Poster

# Makes what is told complete: it may add to the data of a notice.
Completes = Callable[[Notice, dict[str, Any]], Awaitable[Mapping[str, Any]]]


class Webhook(Receiver):
    """Sends events to one endpoint, signed if there is a key."""

    takes_twice = True  # by its id, which is the same in each try, the endpoint knows what it has

    def __init__(
        self,
        name: str,
        url: str,
        key: bytes | None,
        poster: Poster,
        complete: Completes,
        clock: Clock,
        *,
        pauses: Sequence[timedelta] = FOR_THREE_DAYS,
    ) -> None:
        """Take what is needed to send.

        Args:
            name: of the receiver in the ledger.
            url: where it listens.
            key: signs what is sent; None: nothing is signed.
            poster: sends it.
            complete: adds to what is told.
            clock: the present moment, which is signed.
            pauses: after each try that failed, until the next.
        """
        self.name, self.pauses = name, pauses
        self._url, self._key, self._poster = url, key, poster
        self._complete, self._clock = complete, clock

    @override
    async def tell(self, notice: Notice) -> None:
        data = await self._complete(notice, json.loads(notice.data))
        body = json.dumps({"type": _kind(notice), "timestamp": _moment(notice.at), "data": data}).encode()
        try:
            answer = await self._poster.post(self._url, body, self._headers(notice.id, body))
        except SourceError as error:
            raise NotTakenError(str(error)) from error
        if answer.status // 100 != 2:  # noqa: PLR2004 (success, RFC 9110, 15.3)
            # Gone says that it wants no more (Standard Webhooks, "Deliverability and reliability").
            is_final = answer.status == HTTPStatus.GONE
            raise NotTakenError(f"answered {answer.status}", wait=answer.wait, is_final=is_final)

    def _headers(self, message_id: str, body: bytes) -> Mapping[str, str]:
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
        }
        if self._key is None:
            return headers
        return headers | {"webhook-signature": signature(self._key, message_id, timestamp, body)}


def _kind(notice: Notice) -> str:
    """Return the `type` of what is told."""
    return "issue.posted" if notice.kind == POST else notice.kind


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")

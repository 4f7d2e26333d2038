"""Adapters that are made, and their libraries loaded, when they are first used: many runs send and ask nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from newsletter.core.delivery import Outcome
from newsletter.core.issue import Draft, Issue
from newsletter.core.rendering import Rendering
from newsletter.ports import ChunkDelivery, ChunkReport, Mailer, Message, Progress, Renderer
from newsletter.sources.parts import Http

if TYPE_CHECKING:
    from newsletter.sources.http.pace import Pace
    from newsletter.sources.reading.document import Document

_T = TypeVar("_T")


class LateRenderer(Renderer):
    """A renderer that `made` returns."""

    def __init__(self, made: Callable[[], Renderer]) -> None:
        self._made = made

    @override
    def subject(self, draft: Draft) -> str:
        return self._made().subject(draft)

    @override
    def render(self, issue: Issue) -> Rendering:
        return self._made().render(issue)

    @override
    def message(self, issue: Issue, rendering: Rendering) -> Message:
        return self._made().message(issue, rendering)


class LateDelivery(ChunkDelivery):
    """A delivery that `made` returns."""

    def __init__(self, made: Callable[[], ChunkDelivery]) -> None:
        self._made = made

    @override
    async def recover(self) -> None:
        await self._made().recover()

    @override
    async def deliver_chunk(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        most: int | None = None,
        due_by: datetime | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        return await self._made().deliver_chunk(
            issue_key, message_for, most=most, due_by=due_by, progress=progress, stop=stop
        )


class LateMailer(Mailer):
    """A mailer that `made` returns."""

    def __init__(self, made: Callable[[], Mailer]) -> None:
        self._made = made

    @override
    async def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        return await self._made().send(sender, recipient, raw)


class LateHttp(Http):
    """A client that `made` returns."""

    def __init__(self, made: Callable[[], Http]) -> None:
        self._made = made

    @override
    async def get(
        self,
        url: str,
        parse: Callable[[Document], _T],
        params: Mapping[str, str] | None = None,
        *,
        source: str,
        pace: Pace | None = None,
        public_only: bool = False,
    ) -> _T:
        return await self._made().get(url, parse, params, source=source, pace=pace, public_only=public_only)

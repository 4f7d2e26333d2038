"""The services that are set up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from typing_extensions import override

from newsletter.core.bounces import InboundEvent
from newsletter.inbound.webhooks.message import HookMessage, Service
from newsletter.ports import Hooks


class Webhooks(Hooks):
    """Services by their names."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = {service.name: service for service in services}

    @property
    @override
    def services(self) -> Collection[str]:
        return self._services.keys()

    @override
    async def read(
        self, service: str, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> Sequence[InboundEvent]:
        return await self._services[service].read(HookMessage(headers=headers, body=body, now=now))

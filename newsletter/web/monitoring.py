"""What monitoring asks: whether the process is ready, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network, IPv6Network
from time import monotonic

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.core.errors import StoreError
from newsletter.core.page_names import METRICS, READY
from newsletter.operations.measuring import Figures
from newsletter.operations.readiness import Readiness
from newsletter.web.clients import Clients
from newsletter.web.exposition import exposition

log = structlog.get_logger(__name__)

_TIMEOUT = 5  # seconds
_FRESH_FOR = 5.0  # seconds: whoever asks more often gets what was measured before


@dataclass(slots=True, kw_only=True)
class Monitoring:
    """Answers monitoring.

    Attributes:
        readiness: returns how the parts stand that mail needs.
        measure: returns what is measured.
        version: of the program.
        networks: from where metrics can be asked for; for all others there are none.
        clients: tells where requests come from.
    """

    readiness: Callable[[], Awaitable[Readiness]]
    measure: Callable[[], Awaitable[Figures]]
    version: str
    networks: Sequence[IPv4Network | IPv6Network]
    clients: Clients
    _measured: tuple[float, Figures | None] | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> Iterator[Route]:
        """Yield the routes."""
        yield Route(f"/{READY}", self._ready)
        yield Route(f"/{METRICS}", self._metrics)

    async def _ready(self, _: Request) -> Response:
        try:
            async with asyncio.timeout(_TIMEOUT):
                found = await self.readiness()
        except TimeoutError:
            return JSONResponse({"status": "failing", "ledger": "it does not answer"}, 503)
        status = "ok" if found.is_ready else "failing"
        return JSONResponse({"status": status, **asdict(found)}, 200 if found.is_ready else 503)

    async def _metrics(self, request: Request) -> Response:
        if not self.clients.is_from(request, self.networks):
            raise HTTPException(404)
        figures = await self._figures()
        text, content_type = exposition(figures, version=self.version, accept=request.headers.get("Accept", ""))
        return Response(text, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    async def _figures(self) -> Figures | None:
        """Return what was measured within the last seconds; None if the ledger cannot be read."""
        async with self._one_at_a_time:
            if self._measured is None or monotonic() - self._measured[0] >= _FRESH_FOR:
                try:
                    async with asyncio.timeout(_TIMEOUT):
                        figures: Figures | None = await self.measure()
                except (StoreError, TimeoutError) as error:
                    log.warning("not_measured", reason=str(error) or "the ledger does not answer")
                    figures = None
                self._measured = (monotonic(), figures)
            return self._measured[1]

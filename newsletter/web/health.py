"""The health check, for the operator's monitoring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.core.page_names import HEALTH, OWN_HEALTH

log = structlog.get_logger(__name__)

_TIMEOUT = 5  # seconds


def routes(healthy: Callable[[], Awaitable[object]]) -> list[Route]:
    """Return the routes of the health check.

    Args:
        healthy: raises if the store cannot be used.
    """

    async def health(_: Request) -> Response:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await healthy()
        except Exception:  # any error has the same answer: not healthy
            log.exception("unhealthy")
            return JSONResponse({"status": "failing"}, 503)
        return JSONResponse({"status": "ok"})

    return [Route(f"/{path}", health) for path in (HEALTH, OWN_HEALTH)]

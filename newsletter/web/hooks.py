"""Where services tell of what comes back: `/-/hooks/<service>`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.core.errors import NewsletterError
from newsletter.core.page_names import HOOKS
from newsletter.ports import Clock, ForgedError, Hooks, InboundEvents

log = structlog.get_logger(__name__)

_MOST_BYTES = 512 * 1024  # SNS sends at most half as many


def routes(hooks: Hooks, events: InboundEvents, clock: Clock) -> list[Route]:
    """Return the route of the webhooks; a service that is not set up is not found.

    Args:
        hooks: reads what services say.
        events: keeps it.
        clock: the present moment.
    """
    return [Route(f"/{HOOKS}/{{service}}", _Webhooks(hooks, events, clock).take, methods=["POST"])]


@dataclass(frozen=True, slots=True)
class _Webhooks:
    hooks: Hooks
    events: InboundEvents
    clock: Clock

    async def take(self, request: Request) -> Response:
        """Take what a service says. It tries again where the answer is no success."""
        service = request.path_params["service"]
        if service not in self.hooks.services:
            raise HTTPException(404)
        body, now = await _body(request), self.clock()
        try:
            events = await self.hooks.read(service, request.headers, body, now=now)
            taken = await self.events.take(events, now=now) if events else []
        except ForgedError as error:
            log.warning("webhook_forged", service=service, reason=str(error))
            await self.events.count_forged(service, now=now)
            return PlainTextResponse("This is not signed as it must be.\n", 403)
        except ValueError as error:
            log.warning("webhook_unreadable", service=service, reason=str(error))
            return PlainTextResponse("This cannot be read.\n", 400)
        except NewsletterError as error:
            log.warning("webhook_failed", service=service, reason=str(error))
            return PlainTextResponse("This cannot be taken now.\n", 503)
        log.info("webhook", service=service, **Counter(one.outcome.value for one in taken))
        return PlainTextResponse("Thank you.\n")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    return bytes(body)

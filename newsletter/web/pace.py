"""Pages that cost much are made so many times a minute for each client."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.core.page_names import SEARCH
from newsletter.web.clients import Clients, Quota
from newsletter.web.guard import REASON

_COSTLY = f"/{SEARCH}"
_A_MINUTE = 60  # seconds
_MOST = 60


class Paced:
    """ASGI middleware: a client that searches more than once a second, for a minute, has to wait."""

    def __init__(self, app: ASGIApp, *, clients: Clients) -> None:
        """Begin; `clients` tells where requests come from."""
        self._app = app
        self._clients = clients
        self._quota = Quota(_MOST, seconds=_A_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or ask to wait."""
        if (
            scope["type"] == "http"
            and scope["path"].startswith(_COSTLY)
            and not await self._quota.take(self._clients.of(Request(scope)))
        ):
            scope[REASON] = "too many of one client"
            answer = PlainTextResponse("Please wait a minute.\n", 429, {"Retry-After": str(_A_MINUTE)})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

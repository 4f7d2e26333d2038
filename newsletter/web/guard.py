"""Middleware around each answer: headers, a line in the log, and no traceback for visitors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.core.errors import StoreError

log = structlog.get_logger(__name__)

# A path parameter with this name is a reader's secret, and is cut out of the log.
SECRET_PARAMETER = "token"  # noqa: S105 (a parameter's name)
# A path parameter with this name is a whole path. The log has it where there is such a page.
ADDRESS = "address"
# Under this key of the scope, a middleware says why it refused the request; the log gets it.
REASON = "newsletter.reason"
_FIRST_ERROR = 400
_SOON = {"Retry-After": "60"}  # seconds
_OK = 200
# Programs that watch over this one ask for these every few seconds: what is as it should be is no news.
_ASKED_OFTEN = ("/healthz", "/readyz", "/metrics")


class Guard:
    """ASGI middleware around a whole app.

    - Sets `headers` on each answer that does not have them.
    - Logs one line per request, without secrets in the path and without the query. What programs ask for every few
      seconds is logged below the usual level, unless it fails.
    - Answers 503 where the ledger cannot be read or written, with a warning in the log.
    - Turns a defect into a plain 500 and an error in the log. Starlette's own handler would pass the exception on
      to the server, whose log does not hide secrets.
    """

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except ClientDisconnect:
            log.info("visitor_left", method=scope["method"], path=shown_path(scope))
            return
        except asyncio.CancelledError:
            # The server is stopping. If we raised this again, the server would log it as a defect.
            if not status:
                await PlainTextResponse("The server is being restarted. Please try again.\n", 503)(
                    scope, receive, send_guarded
                )
        except Exception as error:
            answer = _failure(error, scope)
            if status:  # a part of the answer is sent; the server must close the connection
                raise
            await answer(scope, receive, send_guarded)
        why = {"reason": scope[REASON]} if REASON in scope else {}
        tell = log.debug if status == _OK and scope["path"].endswith(_ASKED_OFTEN) else log.info
        tell("answered", method=scope["method"], path=shown_path(scope, status), status=status, **why)


def _failure(error: Exception, scope: Scope) -> PlainTextResponse:
    """Log why a request could not be answered, and return what the visitor is told."""
    if isinstance(error, StoreError):
        log.warning("ledger_failed", method=scope["method"], path=shown_path(scope), reason=str(error))
        return PlainTextResponse("This cannot be done right now. Please try again in a minute.\n", 503, _SOON)
    log.error("page_failed", method=scope["method"], path=shown_path(scope), exc_info=error)
    return PlainTextResponse("Something went wrong on our side. Please try again later.\n", 500)


def shown_path(scope: Scope, status: int = 0) -> str:
    """Return the path of a routed request, as it may be logged.

    A path without a route, or without a page, is not logged at all: it may be a mistyped secret link.

    Args:
        scope: the request's.
        status: the answer's; 0: there is none yet.
    """
    route = scope.get("route")
    if route is None:
        return "(unknown)"
    if ADDRESS in scope["path_params"]:
        return f"/{quote(scope['path_params'][ADDRESS])}" if 0 < status < _FIRST_ERROR else "(unknown)"
    values = {
        name: "…" if name == SECRET_PARAMETER else quote(str(value))
        for name, value in scope["path_params"].items()
    }
    return str(route.path_format.format_map(values))

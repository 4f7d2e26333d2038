"""No request has a body longer than anything here takes; what a form may have, its page says."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.guard import REASON

MOST_BYTES = 1024 * 1024
# Servers disagree on which of both counts, so that what one takes for a body is a request to the next one (request
# smuggling; RFC 9112, 6.1 lets a server refuse it).
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_TWO_LENGTHS = "Content-Length and Transfer-Encoding exclude each other.\n"


class LimitedBodies:
    """ASGI middleware: refuses long bodies, at the head if it names the length, else as they come."""

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BYTES) -> None:
        """Begin; a body may have `most_bytes`."""
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that ends in time, or refuse it.

        Whoever reads a body that becomes too long gets an `HTTPException` with 413.
        """
        if scope["type"] == "http":
            if len(framed := _FRAMING & {name for name, _ in scope["headers"]}) > 1:
                scope[REASON] = "body of two lengths"
                await PlainTextResponse(_TWO_LENGTHS, 400, {"Connection": "close"})(scope, receive, send)
                return
            if framed and _length(scope) > self._most_bytes:
                scope[REASON] = "body too long"
                await PlainTextResponse("This is too long.\n", 413)(scope, receive, send)
                return
            receive = self._counting(receive)
        await self._app(scope, receive, send)

    def _counting(self, receive: Receive) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most_bytes:
                raise HTTPException(413)
            return message

        return counted


def _length(scope: Scope) -> int:
    """Return the length of a body as its head says; 0 if it does not. The server has let only numbers pass."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(said)

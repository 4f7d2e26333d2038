"""An authorization server (OAuth 2.0) on loopback: gives access tokens, and says what a test tells it to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from newsletter.core.oauth import TokenClient

SETTINGS = "NEWSLETTER_SMTP__OAUTH_"


@dataclass
class TokenServer:
    """Gives the tokens `token-1`, `token-2` and so on, unless an answer is set for the next requests."""

    port: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)  # used up one by one
    given: int = 0
    lifetime: int = 3600
    refresh_tokens: list[str] = field(default_factory=list)  # given with the next tokens
    delay: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    def client(self, **changes: str) -> TokenClient:
        values = {"client_id": "our-id", "client_secret": "our secret", "refresh_token": "first"}
        return TokenClient(url=self.url, settings=SETTINGS, **values | changes)

    async def respond(self, request: Request) -> JSONResponse:
        self.asked.append(dict(parse_qsl((await request.body()).decode())))
        await asyncio.sleep(self.delay)
        if self.answers:
            status, content = self.answers.pop(0)
            return JSONResponse(content, status)
        self.given += 1
        content = {"access_token": f"token-{self.given}", "expires_in": self.lifetime, "token_type": "Bearer"}
        if self.refresh_tokens:
            content["refresh_token"] = self.refresh_tokens.pop(0)
        return JSONResponse(content)


@asynccontextmanager
async def token_server() -> AsyncIterator[TokenServer]:
    """Run the server for as long as the context lasts."""
    tokens = TokenServer()
    app = Starlette(routes=[Route("/token", tokens.respond, methods=["POST"])])
    async with serving(app) as port:
        tokens.port = port
        yield tokens


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[int]:
    """Run an application on a free port of loopback, which is given."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))  # who comes early waits
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await running

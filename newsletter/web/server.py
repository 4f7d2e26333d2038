"""The HTTP server: uvicorn in our own event loop, without its signal handlers and its logging."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from newsletter.core.errors import ConfigurationError
from newsletter.web.connection import Counted
from newsletter.web.limits import Limits

# Time to finish the present answers at a stop; ours take milliseconds.
_SECONDS_TO_FINISH = 5
_SECONDS_TO_CLEAN_UP = 0.75
# asyncio accepts up to `backlog` connections in one go, a few times before it closes those that made room for
# them. That number must be small, and the system's queue long; so they are two numbers.
_AT_ONCE = 32
_OF_ALL = 4  # and at most this part of all connections
_QUEUE = 512
_HIGHEST_PORT = 65535


@asynccontextmanager
async def serving(
    app: ASGIApp, host: str, port: int, *, stop: asyncio.Event | None = None, limits: Limits | None = None
) -> AsyncIterator[str]:
    """Serve an app for as long as the context lasts, or until `stop` is set; then finish the present answers.

    Args:
        app: the ASGI app.
        host: a host name or an address of this machine; `0.0.0.0` or `::` listens on all of them.
        port: the TCP port; 0 takes a free one.
        stop: ends the serving while other parts of the process are still stopping.
        limits: of visitors' connections.

    Yields:
        The URL of the app's root as seen from this machine, without a slash at the end.

    Raises:
        ConfigurationError: nothing can listen there; names host and port.
    """
    listener = await _listen(host, port)
    counted = Counted(limits or Limits())
    server = _server(app, counted)
    # `Server.serve` would take over SIGTERM and SIGINT; these are the three steps that it is made of.
    await server.startup(sockets=[listener])
    listener.listen(_QUEUE)
    over = asyncio.Event()
    until_the_end = asyncio.create_task(
        _serve(server, listener, [over, *([stop] if stop else [])]), name="web server"
    )
    try:
        yield _url(host, listener.getsockname()[1])
    finally:
        over.set()
        await until_the_end
        counted.log_closed()


async def _serve(server: uvicorn.Server, listener: socket.socket, ends: list[asyncio.Event]) -> None:
    """Serve until any of these events is set, and then stop within seconds."""
    main_loop = asyncio.create_task(server.main_loop())
    waiting = [asyncio.create_task(end.wait()) for end in ends]
    await asyncio.wait([main_loop, *waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    server.should_exit = True
    await main_loop
    await server.shutdown(sockets=[listener])
    if tasks := server.server_state.tasks:  # they are cancelled already
        await asyncio.wait(tasks, timeout=_SECONDS_TO_CLEAN_UP)
    for connection in list(server.server_state.connections):
        connection.transport.abort()


def _server(app: ASGIApp, counted: Counted) -> uvicorn.Server:
    # The Guard logs requests; uvicorn's log would hold the tokens. `access_log=False` is not enough: its logger
    # writes again as soon as it gets a handler. uvicorn warns about malformed requests, by which anybody could
    # fill the log. We don't use visitors' addresses, so headers of a proxy are ignored.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        http=counted.protocol(),
        h11_max_incomplete_event_size=counted.limits.head_bytes,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        backlog=max(1, min(_AT_ONCE, counted.limits.connections // _OF_ALL)),
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


async def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _HIGHEST_PORT:
        raise ConfigurationError(f"{host}:{port}: there is no such port; choose one from 0 to {_HIGHEST_PORT}")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, *_, address = found[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise ConfigurationError(
            f"{host}:{port}: cannot listen there for web requests: {error.strerror}; choose another host or port"
        ) from error
    # Connections inherit it. asyncio sets it only on sockets with the protocol number of TCP, which this socket
    # has not. Without it, a small answer would wait 40 ms between head and body.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(host: str, port: int) -> str:
    seen_as = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared only)
    return f"http://[{seen_as}]:{port}" if ":" in seen_as else f"http://{seen_as}:{port}"

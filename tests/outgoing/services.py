"""Stand-ins of chat services, at their own names: a proxy on this machine that answers in their place, over TLS.

apprise has the hosts of most services built in. A proxy in the environment gets all that it sends: it lets the
connection be opened, shows a certificate for the host that a test authority signed, and answers as the service
does. So the program, apprise, its HTTP client and TLS run as ever, and no request leaves this machine.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme


@dataclass(frozen=True)
class Got:
    """A request that a service got."""

    host: str
    path: str
    body: Any

    @property
    def texts(self) -> list[str]:
        """Return all texts in it."""
        return list(_texts(self.body))


@dataclass
class Services:
    """What the services got, and how they answer: with a status for each request in turn, and then with 200."""

    got: list[Got] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    when_got: Callable[[], object] = lambda: None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    services: Services
    authority: trustme.CA
    host = ""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        self.send_response(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host).configure_cert(context)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.host, self.close_connection = host, False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.services.got.append(Got(self.host or self.headers["Host"], self.path, json.loads(body)))
        self.services.when_got()
        answer = json.dumps({"ok": True, "code": 0, "StatusCode": 0, "result": {}}).encode()
        if self.host == "hooks.slack.com":
            answer = b"ok"
        self.send_response(self.services.statuses.pop(0) if self.services.statuses else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(answer)

    def finish(self) -> None:
        with suppress(OSError):  # who asked may be dead
            super().finish()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def services(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Stand in for all services, for as long as the context lasts."""
    known, authority = Services(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    handler = type("Handler", (_Handler,), {"services": known, "authority": authority})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name in ("HTTPS_PROXY", "https_proxy"):
        patch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    for name in ("NO_PROXY", "no_proxy"):
        patch.setenv(name, "")
    patch.setenv("REQUESTS_CA_BUNDLE", str(folder / "authority.pem"))
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

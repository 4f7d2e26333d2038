"""Stand-ins of chat services, at their own names: a proxy on this machine that answers in their place, over TLS.

apprise has the hosts of most services built in. A proxy in the environment gets all that it sends: it lets the
connection be opened, shows a certificate for the host that a test authority signed, and answers as the service
does. So the program, apprise, the HTTP client and TLS run as ever, and no request leaves this machine.
"""

from __future__ import annotations

import html
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
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
    size: int  # bytes of the whole body

    @property
    def texts(self) -> list[str]:
        """Return all texts in it."""
        return list(_texts(self.body))


@dataclass(frozen=True)
class Reply:
    """What a service answers, and after how many seconds; `drip` is how long it takes to send each byte."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    drip: float = 0.0


@dataclass
class Services:
    """What the services got, and how they answer: with a status for each request in turn, and then as they do.

    `replies` has what is answered instead, for each request in turn.
    """

    got: list[Got] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    when_got: Callable[[], object] = lambda: None
    over: threading.Event = field(default_factory=threading.Event)

    def reply(self, got: Got) -> Reply:
        """Return what is answered to a request."""
        if self.replies:
            return self.replies.pop(0)
        if self.statuses:
            return Reply(self.statuses.pop(0))
        return _taken(got) if _fits(got) else Reply(400, b"too long")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def units(text: str) -> int:
    """Return how many UTF-16 units a text has."""
    return len(text.encode("utf-16-le")) // 2


def _fits(got: Got) -> bool:
    """Return whether a service takes a post of this length, as its documents say."""
    body = got.body
    match got.host.split(".")[-2:]:
        case ["slack", "com"]:  # https://api.slack.com/changelog/2018-04-truncating-really-long-messages
            return max(map(units, got.texts)) <= 3000
        case ["discord", "com"]:  # https://discord.com/developers/docs/resources/webhook#execute-webhook
            return units(body["content"]) <= 2000 and not body.get("embeds")
        case ["telegram", "org"]:  # https://core.telegram.org/bots/api#sendmessage: after entities parsing
            return units(html.unescape(re.sub(r"<[^>]+>", "", body["text"]))) <= 4096
        case ["azure", "com"]:  # https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams
            return 2 * got.size <= 28 * 1024
        case ["feishu", "cn"] | ["larksuite", "com"]:  # 20 KB
            return got.size <= 20_000
    # ntfy: https://docs.ntfy.sh/publish/#limitations; and twice that for JSON with all its escapes
    return got.size <= 8192 and len(body["message"].encode()) <= 4096


def _taken(got: Got) -> Reply:
    """Return the answer of a service that took a post."""
    match got.host.split(".")[-2:]:
        case ["slack", "com"]:
            return Reply(200, b"ok", {"Content-Type": "text/html"})
        case ["discord", "com"]:
            return Reply(204, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"})
        case ["telegram", "org"]:
            return Reply(200, json.dumps({"ok": True, "result": {"text": got.body["text"]}}).encode())
        case ["azure", "com"]:
            return Reply(202)
        case ["feishu", "cn"] | ["larksuite", "com"]:
            return Reply(
                200, b'{"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}'
            )
    return Reply(200, json.dumps({"id": "a1", "event": "message", **got.body}).encode())


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
        got = Got(self.host or self.headers["Host"], self.path, json.loads(body), len(body))
        self.services.got.append(got)
        self.services.when_got()
        reply = self.services.reply(got)
        if self.services.over.wait(reply.after):
            return
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
        if reply.status == 204:
            del headers["Content-Length"]
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        with suppress(OSError):
            self.end_headers()
            for piece in [bytes([one]) for one in reply.body] if reply.drip else [reply.body]:
                self.wfile.write(piece)
                if self.services.over.wait(reply.drip):
                    return

    def do_GET(self) -> None:
        self.services.got.append(Got(self.host or self.headers["Host"], self.path, {}, 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

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
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        patch.setenv(name, str(folder / "authority.pem"))
    try:
        yield known
    finally:
        known.over.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""A server of a language model on loopback: answers as real ones do, or fails as a test tells it to.

It runs in threads of its own, so commands in other processes may ask it, too::

    with model_server() as server:
        server.says = lambda asked: "It studies graphs."      # or any text that is made of `asked`
        server.faults += ["429_seconds", "500"]               # for the next requests, used up one by one
        server.always = "401"                                 # for all requests
        ...  # NEWSLETTER_SUMMARIES__URL=server.url, NEWSLETTER_SUMMARIES__MODEL=some-model
    assert len(server.asked) == 3

`server.url_of("deepseek")` answers in the shape of one server, whatever `server.shape` is; `url_of("429")` fails
like that. The shapes and the faults are those of `tests.model_shapes`.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from tests.model_shapes import FAULTS, SHAPES, Ends, Reply, error

_LONGEST_HANG = 120.0  # seconds
_BETWEEN_DROPS = 0.1


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that arrived."""

    path: str
    headers: dict[str, str]  # names in small letters
    content: dict[str, Any]

    @property
    def instructions(self) -> str:
        """What the model is told to do."""
        return self._message("system")

    @property
    def data(self) -> str:
        """What it is to do that with."""
        return self._message("user")

    @property
    def paper(self) -> dict[str, str]:
        """Title and abstract of the paper that it is asked about, where the data is JSON."""
        found: dict[str, str] = json.loads(self.data)
        return found

    @property
    def key(self) -> str:
        """The key that came with it, or nothing."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def _message(self, role: str) -> str:
        return "".join(one["content"] for one in self.content["messages"] if one["role"] == role)


def first_sentence(asked: Asked) -> str:
    """Return the first sentence of the paper's abstract: true, and in the paper's language."""
    try:
        abstract = asked.paper["abstract"]
    except (ValueError, KeyError, TypeError):
        abstract = asked.data
    return abstract.partition(". ")[0].strip()[:300].rstrip(".") + "."


@dataclass
class ModelServer:
    """Answers in one shape, notes what it is asked, and fails where it is told to.

    Attributes:
        says: makes the model's text of a request.
        shape: how answers look; a key of `SHAPES`.
        faults: what goes wrong with the next requests, used up one by one; keys of `FAULTS`, or replies.
        always: what goes wrong with all requests; nothing: none does.
        key: the only key that is let in; nothing: any, or none.
        delay: seconds before an answer.
        asked: the requests that arrived, in their order.
        at_once: the most requests that were being answered at the same time.
    """

    port: int = 0
    says: Callable[[Asked], str] = first_sentence
    shape: str = "openai"
    faults: list[str | Reply] = field(default_factory=list)
    always: str | Reply = ""
    key: str = ""
    delay: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    at_once: int = 0
    _scheme: str = "http"
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The value of NEWSLETTER_SUMMARIES__URL."""
        return f"{self._scheme}://{self.host}/v1"

    def url_of(self, name: str) -> str:
        """Return an address that always answers in one shape, or with one fault."""
        if name not in SHAPES and name not in FAULTS:
            raise KeyError(name)
        return f"{self._scheme}://{self.host}/{name}/v1"

    def reply(self, asked: Asked) -> Reply:
        """Return what is answered to a request."""
        with self._lock:
            self.asked.append(asked)
            name = asked.path.split("/")[1]
            fault = self.faults.pop(0) if self.faults else self.always or (name if name in FAULTS else "")
        if isinstance(fault, Reply):
            return fault
        if fault:
            return FAULTS[fault](asked.key)
        if not asked.path.endswith("/v1/chat/completions"):
            return FAULTS["404_path"](asked.key)
        if self.key and asked.key != self.key:
            return FAULTS["401"](asked.key)
        model = asked.content.get("model")
        if not isinstance(model, str) or asked.content.get("stream"):
            return error("you must provide a model parameter", status=400)
        return SHAPES[name if name in SHAPES else self.shape](model, self.says(asked))

    def answered(self, asked: Asked) -> Reply:
        """Return what is answered to a request, after the delay; counts how many wait at once."""
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            made = self.reply(asked)
            if made.ends is Ends.HANGS:
                self._over.wait(_LONGEST_HANG)
            elif self.delay:
                self._over.wait(self.delay)
            return made
        finally:
            with self._lock:
                self._now -= 1

    def is_over(self, seconds: float) -> bool:
        """Wait for some seconds, and return whether the server ended meanwhile."""
        return self._over.wait(seconds)

    def end(self) -> None:
        """Let go of requests that hang."""
        self._over.set()


class _Handler(BaseHTTPRequestHandler):
    models: ClassVar[ModelServer]
    timeout = 30

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        named = {name.lower(): value for name, value in self.headers.items()}
        made = self.models.answered(Asked(path=self.path, headers=named, content=json.loads(body)))
        if made.ends in {Ends.HANGS, Ends.CLOSED}:
            return
        try:
            self._send(made)
        except (BrokenPipeError, ConnectionResetError):  # who asked has gone
            self.close_connection = True

    def _send(self, made: Reply) -> None:
        self.send_response(made.status)
        for name, value in made.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(made.body)))
        self.end_headers()
        if made.ends is Ends.DRIPS:
            self._drip(made.body)
        else:
            self.wfile.write(made.body[: len(made.body) // 2] if made.ends is Ends.CUT else made.body)

    def _drip(self, body: bytes) -> None:
        for byte in body:
            if self.models.is_over(_BETWEEN_DROPS):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the standard library)
        """Say nothing."""


class _Listening(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away, or wants no TLS."""


@contextmanager
def model_server(tls: ssl.SSLContext | None = None) -> Iterator[ModelServer]:
    """Run a server for as long as the context lasts; with `tls`, over HTTPS."""
    server = ModelServer(_scheme="https" if tls else "http")
    with _Listening(("127.0.0.1", 0), type("Handler", (_Handler,), {"models": server})) as listening:
        if tls:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        listening.daemon_threads = True
        server.port = listening.server_address[1]
        running = threading.Thread(target=lambda: listening.serve_forever(poll_interval=0.02), daemon=True)
        running.start()
        try:
            yield server
        finally:
            server.end()
            listening.shutdown()
            running.join()


if __name__ == "__main__":  # to try the program by hand: python -m tests.model_server
    with model_server() as by_hand:
        print(f"NEWSLETTER_SUMMARIES__URL={by_hand.url}\nNEWSLETTER_SUMMARIES__MODEL=some-model", flush=True)
        while True:
            time.sleep(3600)

"""A server of pictures over HTTPS, with a certificate that only those who are told to will trust."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


@dataclass
class PictureServer:
    """Gives `answers` by path, 404 for other paths, and notes the paths that it was asked for.

    `trusted` is the file of the authority that vouches for it: a value for SSL_CERT_FILE.
    """

    url: str
    trusted: Path
    answers: dict[str, Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        return self.answers.get(request.path) or Response(status=404)

    def at(self, path: str) -> str:
        """Return the URL of a path."""
        return self.url + path


@contextmanager
def picture_server(folder: Path) -> Iterator[PictureServer]:
    """Run a server of pictures on loopback, whose authority is written into a folder."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with HTTPServer("localhost", 0, ssl_context=context, threaded=True) as running:
        server = PictureServer(f"https://localhost:{running.port}", trusted)
        running.expect_request(re.compile("/.*")).respond_with_handler(server.answer)
        yield server


def served(body: bytes, kind: str = "image/png", status: int = 200) -> Response:
    """Return the answer with a file."""
    return Response(body, status=status, content_type=kind)

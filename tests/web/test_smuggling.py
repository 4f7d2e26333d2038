"""A request hidden in another one (request smuggling), and what is no request at all, over real sockets."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from structlog.testing import capture_logs

from newsletter.web.server import serving
from tests.web.signup_desk import SIGN_UP, open_desk

SITE = "papers.example.org"


async def exchange(at: int, sent: bytes) -> bytes:
    """Send bytes as they stand, and return all that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at)
    writer.write(sent)
    async with asyncio.timeout(10):
        got = await reader.read()
    writer.close()
    return got


def request(line: str, *head: str, body: str = "") -> bytes:
    """Return a request with CRLF at the end of its lines; the answer to it ends the connection."""
    return "\r\n".join((line, "Connection: close", *head, "", body)).encode("latin-1")


SIGN_ONE_UP = "email=smuggled%40example.org"
FORM = "Content-Type: application/x-www-form-urlencoded"
HOST = f"Host: {SITE}"
INNER = request(f"POST {SIGN_UP} HTTP/1.1", HOST, FORM, f"Content-Length: {len(SIGN_ONE_UP)}", body=SIGN_ONE_UP)
CHUNKED = "Transfer-Encoding: chunked"
NO_BODY = "Content-Length: 0"
RAW = {
    # A request within the body of another one, which a proxy and this server would delimit differently.
    "both lengths": request("POST /-/feedback/x/1/more HTTP/1.1", HOST, NO_BODY, CHUNKED, body="0\r\n\r\n")
    + INNER,
    "two lengths": request("POST / HTTP/1.1", HOST, NO_BODY, f"Content-Length: {len(INNER)}") + INNER,
    "a list of lengths": request("POST / HTTP/1.1", HOST, "Content-Length: 0, 5") + INNER,
    "a signed length": request("POST / HTTP/1.1", HOST, "Content-Length: +0") + INNER,
    "a space in the name": request("POST / HTTP/1.1", HOST, "Content-Length : 0") + INNER,
    "an unknown coding": request("POST / HTTP/1.1", HOST, "Transfer-Encoding: xchunked", body="0\r\n\r\n") + INNER,
    "a hidden coding": request("POST / HTTP/1.1", HOST, "Transfer-Encoding:\x0bchunked", body="0\r\n\r\n") + INNER,
    "two codings": request("POST / HTTP/1.1", HOST, CHUNKED, "Transfer-Encoding: identity") + INNER,
    "a chunk of no length": request("POST / HTTP/1.1", HOST, CHUNKED, body="x\r\n\r\n") + INNER,
    "a negative chunk": request("POST / HTTP/1.1", HOST, CHUNKED, body="-1\r\n\r\n") + INNER,
    "carriage returns alone": b"GET / HTTP/1.1\rHost: " + SITE.encode() + b"\r\r" + INNER,
    "a zero byte": request("GET / HTTP/1.1", HOST, "X-Own: a\x00b"),
    "a first line that is folded": request("GET / HTTP/1.1", f" {HOST}"),
    "no host": request("GET / HTTP/1.1"),
    "two hosts": request("GET / HTTP/1.1", HOST, "Host: evil.example"),
    "another host": request("GET / HTTP/1.1", "Host: evil.example"),
    "another host in the line": request("GET http://evil.example/ HTTP/1.1", HOST),
    "a tunnel": request(f"CONNECT {SITE}:443 HTTP/1.1", HOST),
    "the whole server": request("OPTIONS * HTTP/1.1", HOST),
    "a path without a slash": request("GET ../../etc/passwd HTTP/1.1", HOST),
    "a line break in the path": request("GET /daily\nSet-Cookie:a=b HTTP/1.1", HOST),
    "spaces in the line": request("GET / daily HTTP/1.1", HOST),
    "a line that is too long": request(f"GET /{'x' * 40_000} HTTP/1.1", HOST),
    "a head that is too long": request(
        "GET / HTTP/1.1", HOST, *(f"X-{number}: {'x' * 80}" for number in range(500))
    ),
    "a body that is too long": request(
        f"POST {SIGN_UP} HTTP/1.1", HOST, FORM, "Content-Length: 2000000", body="x" * 99
    ),
}


async def test_what_is_no_whole_request_for_this_site_is_refused_and_holds_no_other_one(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for name, sent in RAW.items():
            with capture_logs() as logs:
                async with serving(desk.app, "127.0.0.1", 0) as url:
                    answer = await exchange(int(url.rpartition(":")[2]), sent)
            head = answer.partition(b"\r\n\r\n")[0].lower()
            assert re.findall(rb"http/1\.1 (\d)\d\d ", answer.lower()) == [b"4"], (name, answer[:500])
            assert re.findall(rb"\n(set-cookie|location):", head) == [], name
            assert len(logs) == 1, (name, logs)
        assert desk.woken == 0


async def test_a_request_behind_another_one_is_a_request_of_its_own_with_a_line_of_its_own(tmp_path: Path) -> None:
    both = request("GET /healthz HTTP/1.1", HOST).replace(b"close", b"keep-alive") + INNER
    with capture_logs() as logs:
        async with open_desk(tmp_path) as desk, serving(desk.app, "127.0.0.1", 0) as url:
            answer = await exchange(int(url.rpartition(":")[2]), both)
            assert desk.woken == 1
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert [line["event"] for line in logs] == ["answered", "sign_up_asked", "answered"]

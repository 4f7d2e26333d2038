"""The sink of the benches, seen from outside: it counts each message once, however its bytes arrive."""

from __future__ import annotations

import json
import random
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.services import need

SOURCE = Path(__file__).parents[2] / "bench/sink.c"
ENVELOPE = b"MAIL FROM:<papers@example.org>\r\nRCPT TO:<%b>\r\nDATA\r\n"
REPLIES_OF_ONE = [b"250", b"250", b"354", b"250"]

LONG = b"".join(b"a line with dots ... and more .\r\n..\r\n" for _ in range(12_000))
BODIES = {
    "usual": b"Subject: x\r\n\r\nHello.\r\n",
    "empty": b"",
    "only line ends": b"\r\n\r\n\r\n",
    "stuffed dots": b"\r\n..\r\n...\r\n..a\r\n. \r\n",
    "a dot behind a bare line feed": b"\r\nx\n.\ny\n.\r\n",
    "a dot behind a bare carriage return": b"\r\nx\r.\r\n\r.\r\r\n",
    "a dot, and half a line end": b"x\r\n.\ry\r\n.\n\r\n",
    "a dot at the end of a line": b"x.\r\ny.\r\n.z\r\n",
    "only dots": b"." * 3000 + b"\r\n",
    "longer than what is read at once": LONG,
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the sink."""
    made = tmp_path_factory.mktemp("sink") / "sink"
    subprocess.run([need("cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-o", made, SOURCE], check=True)
    return made


class Sink:
    """A running sink."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self._port = int(process.stdout.readline())

    def taken(self) -> tuple[int, int]:
        """Return how many messages and bytes it has taken; it has read all that was sent to it before."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counts = json.loads(self._process.stdout.readline())
        return counts["messages"], counts["bytes"]

    @contextmanager
    def client(self) -> Iterator[socket.socket]:
        """Connect, and read the greeting."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connected:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            assert connected.recv(100) == b"220 sink\r\n"
            yield connected


@contextmanager
def running(program: Path, *options: str) -> Iterator[Sink]:
    """Run a sink for as long as the context lasts."""
    with subprocess.Popen(
        [program, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Sink(process)
        finally:
            process.kill()


@pytest.fixture
def sink(program: Path) -> Iterator[Sink]:
    with running(program) as one:
        yield one


def message(body: bytes, recipient: bytes = b"reader@example.org") -> bytes:
    """Return what a client sends for one message."""
    return ENVELOPE % recipient + body + b".\r\n"


def replies(client: socket.socket, count: int) -> list[bytes]:
    """Return the codes of so many replies."""
    got = b""
    while got.count(b"\r\n") < count:
        some = client.recv(4096)
        assert some, got
        got += some
    return [line[:3] for line in got.splitlines()]


def send_in_pieces(sink: Sink, client: socket.socket, pieces: Iterator[bytes]) -> None:
    """Send pieces, each of which the sink reads by itself."""
    for piece in pieces:
        client.sendall(piece)
        sink.taken()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_message_ends_at_its_dot_and_nowhere_else(sink: Sink, body: bytes) -> None:
    with sink.client() as client:
        client.sendall(message(body) + b"NOOP\r\n")

        assert replies(client, 5) == [*REPLIES_OF_ONE, b"250"]
        assert sink.taken() == (1, len(body) + 3)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 64])
@pytest.mark.parametrize("name", [name for name in BODIES if len(BODIES[name]) < 100])
def test_a_message_may_come_in_pieces(sink: Sink, name: str, size: int) -> None:
    whole = message(BODIES[name]) + message(b"next\r\n")
    with sink.client() as client:
        pieces = (whole[start : start + size] for start in range(0, len(whole), size))
        send_in_pieces(sink, client, pieces)

        assert replies(client, 8) == REPLIES_OF_ONE * 2
        assert sink.taken() == (2, len(BODIES[name]) + 3 + 9)


@pytest.mark.parametrize("seed", range(10))
def test_many_messages_may_come_at_once_and_be_cut_anywhere(sink: Sink, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    bodies = chance.choices(list(BODIES.values()), k=12)
    whole = b"".join(map(message, bodies))
    cuts = [0, *sorted(chance.sample(range(1, len(whole)), 25)), len(whole)]
    with sink.client() as client:
        pieces = (whole[start:end] for start, end in pairwise(cuts))
        send_in_pieces(sink, client, pieces)

        assert replies(client, 48) == REPLIES_OF_ONE * 12
        assert sink.taken() == (12, sum(len(body) + 3 for body in bodies))


def test_clients_do_not_get_the_bytes_of_others(sink: Sink) -> None:
    with sink.client() as one, sink.client() as other:
        for client in (one, other):
            send_in_pieces(sink, client, iter([message(b"x\r\n")[:-4]]))
        for client in (one, other):
            send_in_pieces(sink, client, iter([b"\n", b"."]))

        assert sink.taken()[0] == 0

        one.sendall(b"\r\n")
        assert replies(one, 4) == REPLIES_OF_ONE
        assert sink.taken()[0] == 1
        other.sendall(b"\r\n")
        assert replies(other, 4) == REPLIES_OF_ONE
        assert sink.taken() == (2, 12)


@pytest.mark.parametrize("size", [1, 3, 50, 10_000])
def test_links_and_recipients_are_written_once_for_each_message(program: Path, tmp_path: Path, size: int) -> None:
    links, recipients = tmp_path / "links", tmp_path / "recipients"
    numbers = range(3)
    whole = b"".join(
        message(
            b"List-Unsubscribe: <https://a.example/%d>\r\nX: %b\r\n\r\n\r\nList-Unsubscribe: <no>\r\n"
            % (number, b"." * 60),
            b"reader%d@example.org" % number,
        )
        for number in numbers
    )
    whole += message(b"", b"empty@example.org")
    with running(program, "-l", str(links), "-r", str(recipients)) as sink, sink.client() as client:
        pieces = (whole[start : start + size] for start in range(0, len(whole), size))
        send_in_pieces(sink, client, pieces)

        assert replies(client, 16) == REPLIES_OF_ONE * 4
        assert sink.taken()[0] == 4
        assert links.read_text().splitlines() == [f"https://a.example/{number}" for number in numbers]
        wanted = [*(f"reader{number}@example.org" for number in numbers), "empty@example.org"]
        assert recipients.read_text().splitlines() == wanted


def _command_without_end() -> bytes:
    return b"x" * 200_000


def _header_without_end() -> bytes:
    return ENVELOPE % b"reader@example.org" + b"X: y\r\n" * 40_000


def _send_until_it_ends(client: socket.socket, sent: bytes) -> None:
    client.sendall(sent)
    while client.recv(4096):
        pass
    raise ConnectionError


@pytest.mark.parametrize("sent", [_command_without_end, _header_without_end])
def test_what_never_ends_is_not_kept(program: Path, tmp_path: Path, sent: Callable[[], bytes]) -> None:
    with running(program, "-l", str(tmp_path / "links")) as sink:
        with sink.client() as client, pytest.raises(ConnectionError):
            _send_until_it_ends(client, sent())
        with sink.client() as client:
            client.sendall(message(b"\r\nx\r\n"))
            assert replies(client, 4) == REPLIES_OF_ONE


def test_a_client_that_is_gone_does_not_end_the_sink(program: Path) -> None:
    with running(program, "-d", "20") as sink:
        with sink.client() as client:
            client.sendall(message(b"x\r\n"))
        with sink.client() as client:
            client.sendall(message(b"x\r\n") + b"QUIT\r\n")
            assert replies(client, 5) == [*REPLIES_OF_ONE, b"221"]
            assert client.recv(100) == b""
        assert sink.taken()[0] == 2

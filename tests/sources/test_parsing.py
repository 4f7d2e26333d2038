"""The process that reads documents: bounded, replaced when it ends, gone when the program is."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from newsletter.sources.feed import read_feed
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.parser_process import LENGTH
from newsletter.sources.reading.parsing import Parser, UnreadableError
from newsletter.sources.reading.records import text
from tests.sources.feeds import announced, rss

ONE = Document(content=rss(announced(1)).encode(), url="https://example.org/feed.xml")


@pytest.fixture
async def strict() -> AsyncIterator[Parser]:
    """A parser with little time and memory."""
    parser = Parser(seconds=2, memory=256 * 1024 * 1024)
    yield parser
    await parser.aclose()


def pid(document: Document) -> int:
    return os.getpid()


def busy(document: Document, *, seconds: float) -> int:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return os.getpid()


def asleep(document: Document) -> None:
    time.sleep(60)


def hungry(document: Document) -> int:
    return len(bytearray(1024 * 1024 * 1024))


def ended(document: Document) -> None:
    os._exit(7)


def talkative(document: Document) -> str:
    print("a line that no one asked for", flush=True)
    os.write(2, b"and another\n")
    return text("x" * 600, 500)


def broken(document: Document) -> None:
    raise KeyError("authors")


def nested(document: Document) -> object:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


def endless(document: Document) -> list[str]:
    return ["x" * 1000] * 70_000


def secrets(document: Document) -> list[str]:
    return [name for name in os.environ if name.startswith("NEWSLETTER_")]


async def is_gone(number: int) -> bool:
    """Return whether a process is gone, zombies included."""
    for _ in range(50):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_document_is_read_in_one_other_process(parser: Parser) -> None:
    (paper,) = await parser.read(read_feed, ONE)
    assert "2603.00001" in repr(paper)
    first = await parser.read(pid, ONE)
    assert first == await parser.read(pid, ONE) != os.getpid()


@pytest.mark.parametrize(
    ("parse", "reason"),
    [
        (partial(busy, seconds=30), "too long to read"),
        (asleep, "too long to read"),
        (hungry, "too much memory"),
        (endless, "too much in it"),
        (ended, "ended with 7"),
        (broken, r"internal error: KeyError\('authors'\)"),
    ],
    ids=["busy", "asleep", "hungry", "endless", "ended", "broken"],
)
async def test_what_goes_beyond_bounds_costs_itself_alone(parse: object, reason: str, strict: Parser) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableError, match=reason):
        await strict.read(parse, ONE)  # type: ignore[arg-type]
    assert time.monotonic() - began < 25
    assert await strict.read(read_feed, ONE)


async def test_the_event_loop_goes_on_meanwhile(strict: Parser) -> None:
    reading = asyncio.create_task(strict.read(partial(busy, seconds=0.5), ONE))
    longest, last = 0.0, time.monotonic()
    while not reading.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert longest < 0.4
    assert await reading


async def test_a_process_that_was_killed_is_followed_by_another(strict: Parser) -> None:
    first = await strict.read(pid, ONE)
    os.kill(first, signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert await strict.read(pid, ONE) != first
    assert await is_gone(first)


async def test_what_nobody_waits_for_any_more_is_ended(strict: Parser) -> None:
    number = await strict.read(pid, ONE)
    reading = asyncio.create_task(strict.read(partial(busy, seconds=0.9), ONE))
    waiting = asyncio.create_task(strict.read(pid, ONE))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await waiting != number
    assert await is_gone(number)


async def test_nothing_is_left_behind(strict: Parser) -> None:
    number = await strict.read(pid, ONE)
    await strict.aclose()
    assert await is_gone(number)
    await strict.aclose()


async def test_what_is_printed_comes_between_nothing_and_what_is_logged_comes_back(
    strict: Parser, capfd: pytest.CaptureFixture[str]
) -> None:
    with capture_logs() as logs:
        assert await strict.read(talkative, ONE) == "x" * 500
    assert [(log["event"], log["length"], log["log_level"]) for log in logs] == [("text_cut", 600, "warning")]
    assert capfd.readouterr() == ("", "")


async def test_an_answer_that_is_nested_too_deeply_is_no_answer(strict: Parser) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        await strict.read(nested, ONE)


async def test_passwords_stay_here(monkeypatch: pytest.MonkeyPatch, strict: Parser) -> None:
    monkeypatch.setenv("NEWSLETTER_SMTP__PASSWORD", "hunter2")
    assert await strict.read(secrets, ONE) == []


async def test_a_module_of_the_folder_we_work_in_takes_nobodys_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: Parser
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    (tmp_path / "newsletter.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert await strict.read(pid, ONE)


async def test_no_interpreter_is_told(monkeypatch: pytest.MonkeyPatch, strict: Parser) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UnreadableError, match="no process to read it with"):
        await strict.read(pid, ONE)


def untyped(document: Document) -> list[int]:
    return ["no number"]  # type: ignore[list-item]


async def test_an_answer_of_another_type_than_the_signature_names_is_refused(strict: Parser) -> None:
    with pytest.raises(UnreadableError, match="answered something else"):
        await strict.read(untyped, ONE)


class Planted:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.abort, ()


def writes_a_pickle(document: Document) -> object:
    answer = pickle.dumps((Planted(), "", "", []))
    for descriptor in range(3, 32):  # one of them leads to the program
        with suppress(OSError):
            os.write(descriptor, LENGTH.pack(len(answer)) + answer)
    return None


def claims_too_much(document: Document) -> object:
    for descriptor in range(3, 32):
        with suppress(OSError):
            os.write(descriptor, LENGTH.pack(2**62))
    time.sleep(60)
    return None


@pytest.mark.parametrize("parse", [writes_a_pickle, claims_too_much])
async def test_a_process_that_a_document_took_over_cannot_make_the_program_run_code_or_wait(
    parse: Callable[[Document], object], strict: Parser
) -> None:
    with pytest.raises(UnreadableError):
        await strict.read(parse, ONE)


LEFT_ALONE = """
import asyncio, os, sys
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.parsing import Parser
from tests.sources.test_parsing import pid

async def main():
    parser = Parser()
    print(await parser.read(pid, Document(content=b"")), flush=True)
    await asyncio.sleep(60) if len(sys.argv) > 1 else None

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["ends", "is killed"])
async def test_it_ends_with_the_program_however_that_ends(how: str) -> None:
    arguments = ["wait"] if how == "is killed" else []
    command = [sys.executable, "-c", LEFT_ALONE, *arguments]
    with subprocess.Popen(  # noqa: ASYNC220 - there is nothing else to do meanwhile
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as program:
        assert program.stdout is not None
        number = int(program.stdout.readline())
        if how == "is killed":
            program.kill()
        program.wait(10)
    assert await is_gone(number)

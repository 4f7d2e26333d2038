"""Processes that deliver what is due in a store, and are killed while they do: `python -m tests.delivery.worker`.

It reads orders from its input, one JSON object a line (the fields of `Order`), and forks a child for each, so that
a process costs no imports. It answers with the child's number when it has begun, and with how it ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import structlog

from newsletter.core.delivery import RetryPolicy, Uncertain
from newsletter.core.quotas import Quota
from newsletter.core.relay import Security
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.limits.quota import RelayQuota
from newsletter.delivery.record import journal
from newsletter.delivery.service import DeliveryService
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp import wire
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.ports import Store
from newsletter.store import closing, half_issues, open_store
from newsletter.store.closing import IssueCloser
from newsletter.store.half_issues import HalfIssues
from newsletter.store.outbox import SqlOutbox
from newsletter.store.suppressions import SqlSuppressions
from tests.delivery.fakes import message_for
from tests.delivery.stores import freeze

# Where a process may be told to die: before or after a call of a function.
POINTS: dict[str, tuple[Any, str, bool]] = {
    "before the claim": (SqlOutbox, "claim", False),
    "after the claim": (SqlOutbox, "claim", True),
    "before the journal is made": (journal, "_allot", False),
    "before the journal gets its name": (journal, "_allot", True),
    "before a note": (journal.Journal, "append", False),
    "after a note": (journal.Journal, "append", True),
    "before something is sent": (wire.Wire, "write", False),
    "after something is sent": (wire.Wire, "write", True),
    "after an answer": (wire.Wire, "data_received", True),
    "before the other half of the journal": (journal.Journal, "next_turn", False),
    "after the other half of the journal": (journal.Journal, "next_turn", True),
    "before the ledger is written": (SqlOutbox, "record", False),
    "after the ledger is written": (SqlOutbox, "record", True),
    "after the journal is forgotten": (journal.Journal, "forget_last_turn", True),
    "before the journal is removed": (journal.Journal, "remove", False),
    "before what is left is given back": (SqlOutbox, "release", False),
    "before recovery": (SqlOutbox, "recover", False),
    "after recovery": (SqlOutbox, "recover", True),
    "after a dead worker's journal was read": (journal, "read", True),
    "before dead addresses are decided on": (SqlSuppressions, "judge", False),
    "after dead addresses were decided on": (SqlSuppressions, "judge", True),
}

# The same, of a process that closes an issue.
CLOSING_POINTS: dict[str, tuple[Any, str, bool]] = {
    "before a worker is registered": (IssueCloser, "close", False),
    "before the issue is written": (IssueCloser, "_begin", False),
    "after the issue is written": (IssueCloser, "_begin", True),
    "before a page is read": (IssueCloser, "_next_page", False),
    "after a page is read": (IssueCloser, "_next_page", True),
    "before a page is written": (IssueCloser, "_write", False),
    "after a page is written": (IssueCloser, "_write", True),
    "before the issue's row is written on": (closing, "_write_on", False),
    "after the issue's row is written on": (closing, "_write_on", True),
    "after the issue is closed": (IssueCloser, "close", True),
    "before half an issue is taken over": (HalfIssues, "_take_over", False),
    "before a piece of it is deleted": (HalfIssues, "_delete_piece", False),
    "after a piece of it is deleted": (HalfIssues, "_delete_piece", True),
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a child shall do; `point` and `count` say when it dies, unless it is killed from outside."""

    database: str
    port: int
    policy: str
    connections: int = 4
    batch: int = 20
    journals: str = ""
    rate: float = 0.0  # of the relay; 0: no limit
    domain_rate: float = 0.0  # of each domain
    per_day: int = 0  # the relay's quota
    beside: int = 0  # so many more children do the same
    most: int = 0  # deliveries of a chunk; 0: all that are due
    closes: int = 0  # the number of the issue that it closes first; 0: none
    delivers: bool = True
    point: str = ""
    count: int = 0


# Processes that wait for orders, and that no test uses now: to start one takes a second.
_idle: list[subprocess.Popen[bytes]] = []


class Workers:
    """Starts processes, from a test."""

    async def __aenter__(self) -> Self:
        self._process = _idle.pop() if _idle else _begun()
        self._at_work = 0  # orders that have not ended
        assert self._process.stdout
        pipe = os.fdopen(os.dup(self._process.stdout.fileno()), "rb")
        self._answers = asyncio.StreamReader()
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._answers), pipe
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pipe.close()
        if self._at_work:
            _end(self._process)
        else:
            _idle.append(self._process)

    async def start(self, order: Order) -> int:
        """Start a child and return its process number."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        self._process.stdin.flush()
        self._at_work += 1
        return int(await self._answers.readline())

    async def ended(self) -> int:
        """Wait for the children; return an exit code, or the negative number of the signal that killed one."""
        code = int(await self._answers.readline())
        self._at_work -= 1
        return code


def _begun() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.delivery.worker"]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:  # which closes its input, and waits
        pass


def dismiss() -> None:
    """End the processes that wait for orders."""
    while _idle:
        _end(_idle.pop())


def _serve() -> None:
    # Small pages and pieces, so that few readers make many of them.
    closing.PAGE_OF_SQLITE = closing.PAGE_OF_POSTGRESQL = 20
    half_issues._PIECE = 30
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for line in sys.stdin:
        order = Order(**json.loads(line))
        children = [_fork(order) for _ in range(1 + order.beside)]
        print(children[0], flush=True)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(next((code for code in ended if code), 0), flush=True)


def _fork(order: Order) -> int:
    child = os.fork()
    if not child:
        die_at(order.point, order.count)
        asyncio.run(_work(order))
        sys.stdout.flush()
        os._exit(0)
    return child


async def _work(order: Order) -> None:
    store = await open_store(order.database)
    if order.closes:
        await freeze(store, order.closes)
    if order.delivers:
        await _deliver(store, order)
    await store.close()


async def _deliver(store: Store, order: Order) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    relay = RelayConfig(
        host="127.0.0.1",
        port=order.port,
        security=Security.NONE,
        connections=order.connections,
        rate=order.rate,
        ehlo_name="newsletter.example.org",
    )
    rules = Rules(
        retry=RetryPolicy(),
        uncertain=Uncertain(order.policy),
        clock=lambda: datetime.now(UTC),
        jitter=lambda: 0.5,
    )
    counting = None
    if order.per_day:
        counting = RelayQuota(
            relay.name, relay.account, Quota(per_day=order.per_day), store.relay_usage, rules.clock
        )
    service = DeliveryService(
        store.outbox,
        [SmtpRelay(relay, quota=counting)],
        rules,
        batch=order.batch,
        journals=Path(order.journals) if order.journals else None,
        limits=DomainLimits(Limit(rate=order.domain_rate)),
        rates=store.rates,
    )
    async with service:
        for issue in await store.outbox.open_issues("daily"):
            while not stop.is_set():
                report = await service.deliver_chunk(issue, message_for, most=order.most or None, stop=stop)
                if not order.most or report.settled < order.most:
                    break
    await store.suppressions.judge(now=datetime.now(UTC))


def die_at(point: str, count: int) -> None:
    """Let this process kill itself at a point, when it comes there for the `count`th time; no point: never."""
    if not point:
        return
    owner, name, is_after = (POINTS | CLOSING_POINTS)[point]
    function = getattr(owner, name)
    left = count

    def reached() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, _reporting(function, reached, is_after=is_after))


def _reporting(function: Callable[..., Any], reached: Callable[[], None], *, is_after: bool) -> Callable[..., Any]:
    if asyncio.iscoroutinefunction(function):

        async def wait(*arguments: Any, **named: Any) -> Any:
            if not is_after:
                reached()
            result = await function(*arguments, **named)
            if is_after:
                reached()
            return result

        return wait

    def call(*arguments: Any, **named: Any) -> Any:
        if not is_after:
            reached()
        result = function(*arguments, **named)
        if is_after:
            reached()
        return result

    return call


if __name__ == "__main__":
    _serve()

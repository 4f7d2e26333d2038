"""Issues that are closed halfway: a real closing that is held up before it writes a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from newsletter.core.issue import Draft, Issue
from newsletter.core.rendering import Part, Rendering
from newsletter.core.steps import Plan
from newsletter.ports import Store
from newsletter.store import closing
from newsletter.store.sql import SqlStore
from tests.store.samples import NOW, due

RENDERING = Rendering(
    html=Part(page="<p>Good morning</p>", nonce="abc"),
    text=Part(page="Good morning\n", nonce="def"),
    headlines=(),
    left_out=frozenset(),
    html_bytes=12,
)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages have two readers."""
    for name in ("PAGE_OF_SQLITE", "PAGE_OF_POSTGRESQL"):
        monkeypatch.setattr(closing, name, 2)


@dataclass
class Halfway:
    """A closing that waits, after some pages, until it is let go on."""

    task: asyncio.Task[tuple[Issue, bool]]
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def finish(self) -> tuple[Issue, bool]:
        """Let it go on, and wait for its end."""
        self.go_on.set()
        return await self.task

    async def die(self) -> None:
        """End it where it is. What it has written is left, as if the process had been killed."""
        self.task.cancel()
        await asyncio.wait([self.task])


@asynccontextmanager
async def halfway(
    store: Store, draft: Draft, plan: Plan | None = None, *, pages: int = 1
) -> AsyncIterator[Halfway]:
    """Close an issue of a draft until it has written some pages of readers, and hold it there."""
    assert isinstance(store, SqlStore)
    closer: Any = store.issues._closer
    write, begun, is_there, go_on = closer._write, 0, asyncio.Event(), asyncio.Event()
    written = asyncio.Semaphore(0)

    async def write_or_wait(*arguments: Any) -> None:
        nonlocal begun
        begun += 1
        if begun <= pages:
            await write(*arguments)
            written.release()
            return
        if begun == pages + 1:  # the ones before may be written at the same time
            for _ in range(pages):
                await written.acquire()
            is_there.set()
        await go_on.wait()
        await write(*arguments)

    closer._write = write_or_wait
    freezing = store.issues.freeze(
        draft, "Papers", plan or due(), now=NOW, renderings={"": RENDERING, "de": RENDERING}
    )
    task = asyncio.create_task(freezing)
    reaching = asyncio.create_task(is_there.wait())
    try:
        await asyncio.wait([task, reaching], return_when=asyncio.FIRST_COMPLETED)
        assert is_there.is_set(), "there are not so many pages"
        yield Halfway(task, go_on)
    finally:
        closer._write = write
        reaching.cancel()
        task.cancel()
        await asyncio.wait([task, reaching])

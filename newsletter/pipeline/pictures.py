"""Pictures: look at those that an issue's first papers may have as figures. Safe to repeat."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

import structlog

from newsletter.core.errors import SourceError
from newsletter.core.figures import PictureCheck, to_be_checked
from newsletter.core.issue import Draft
from newsletter.ports import PictureReader, Pictures

log = structlog.get_logger(__name__)

_TIME = 20.0  # seconds for all pictures of a run; those that are left are looked at in the next one
_AT_ONCE = 4
_PATIENCE = 2  # failures in a row after which a host is left alone until the next run


async def check_pictures(
    drafted: Draft, pictures: Pictures, reader: PictureReader, *, now: datetime, time: float = _TIME
) -> None:
    """Look at the pictures of an issue's first papers that nobody has looked at, and keep what is found.

    No failure of a picture is one of the issue: it is logged, and the picture is looked at again in the next run.

    Args:
        drafted: what the issue would hold now.
        pictures: where to keep what is found.
        reader: looks at them.
        now: the moment, for the record.
        time: seconds after which what is left waits for the next run.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    wanted = to_be_checked(drafted)
    known = await pictures.known(wanted)
    look = _Look(reader, [url for url in wanted if url not in known])
    if not look.left:
        return
    await look.run(time)
    await pictures.keep(look.found, now=now)
    figures = sum(one.figure is not None for one in look.found)
    refused, failed = len(look.found) - figures, sum(look.failures.values())
    waiting = len(wanted) - len(known) - len(look.found) - failed
    log.info("pictures_checked", figures=figures, refused=refused, failed=failed, left_for_next_run=waiting)


class _Look:
    """One look at some pictures; `found` and `failures` (by host) tell how far it came."""

    def __init__(self, reader: PictureReader, urls: Iterable[str]) -> None:
        self._reader = reader
        self._in_a_row: Counter[str] = Counter()
        self.left = deque(urls)
        self.found: list[PictureCheck] = []
        self.failures: Counter[str] = Counter()

    async def run(self, time: float) -> None:
        """Look at all, a few at once, until the time (in seconds) is over."""
        try:
            async with asyncio.timeout(time):
                await asyncio.gather(*(self._work() for _ in range(_AT_ONCE)))
        except TimeoutError:
            log.info("pictures_take_long", seconds=time)

    async def _work(self) -> None:
        while self.left:
            url = self.left.popleft()
            host = urlsplit(url).netloc
            if self._in_a_row[host] < _PATIENCE:
                await self._one(url, host)

    async def _one(self, url: str, host: str) -> None:
        try:
            check = await self._reader.look(url)
        except SourceError as error:
            self.failures[host] += 1
            self._in_a_row[host] += 1
            log.info("picture_not_read", url=url, reason=str(error))
            return
        except Exception:  # a defect must not stop the issue; it is logged in full
            self.failures[host] += 1
            log.exception("picture_broke", url=url)
            return
        self._in_a_row[host] = 0
        self.found.append(check)
        if check.refusal:
            log.info("picture_refused", url=url, reason=check.refusal)

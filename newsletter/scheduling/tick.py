"""What the scheduler does every few seconds: make what is due, and deliver what is open."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterable
from datetime import date, datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from newsletter.core.alarms import OF_FILES
from newsletter.core.calendar import SlotState, agenda
from newsletter.core.errors import FileChangedError, ListFileError, NewsletterError, StoppedError, StoreError
from newsletter.core.newsletter_list import NewsletterList
from newsletter.operations.alarms import issue_failed
from newsletter.pipeline.collect import collect_now
from newsletter.pipeline.editions import Edition, editions_to_do
from newsletter.pipeline.run import Pipeline, Wish
from newsletter.pipeline.summarizing import TIME_OF_COLLECTING, summarized
from newsletter.ports import ListFile, Lists, OperatorAlarm
from newsletter.readers.sync import check
from newsletter.scheduling.liveness import Liveness
from newsletter.scheduling.once import tell_of
from newsletter.stopping import unless_stopped

log = structlog.get_logger(__name__)

_RETRY_AFTER = timedelta(minutes=30)
_RETRY_SOON = timedelta(minutes=1)  # where the database failed, and no source did
_WITHOUT_FILE = ""  # stands for all lists whose file is wrong or gone; no list has this name


class Ticker:
    """Does what is due of all lists side by side: a long issue must not delay another list's hour.

    So a tick may begin while an earlier one goes on; it leaves out the lists that are still at work. What is due
    follows from the database alone. The ticker remembers only what it need not do, ask or log again.
    """

    def __init__(
        self, lists: Lists, pipeline: Pipeline, alarm: OperatorAlarm, *, retry_after: timedelta = _RETRY_AFTER
    ) -> None:
        """Begin without memories.

        Args:
            lists: the list files. What changed since the last tick is read off the event loop, members too.
            pipeline: does the work.
            alarm: rings for the operator.
            retry_after: how long an issue that could not be made is left alone, and its sources with it.
        """
        self._lists = lists
        self._pipeline = pipeline
        self._alarm = alarm
        self._retry_after = retry_after
        self.liveness = Liveness()  # shows whether the work goes on
        # By list: its newest day that was tried, when, and for how long it is left alone then.
        self._tried: dict[str, tuple[date, datetime, timedelta]] = {}
        self._missed: dict[str, date] = {}  # by list: the day of its slot for which the alarm has rung
        self._wrong: dict[str, str] = {}  # by list: the mistakes of its file, as told
        self._right: set[str] = set()  # lists whose files were right when they were looked at last
        self._at_work: set[str] = set()  # lists for which an earlier tick goes on

    async def tick(self, *, now: datetime, stop: asyncio.Event) -> None:
        """Make the issues that are due by now, and deliver those that are open.

        Trouble with one list rings the alarm, and is no trouble for the others.

        Args:
            now: the present moment, aware.
            stop: when set, what is in flight is finished and the rest left for the next tick.

        Raises:
            ConfigurationError: the folder of list files is gone, or the database is an older copy.
        """
        await self._pipeline.mark.check()
        lists = await asyncio.to_thread(self._lists.read)
        await _side_by_side(
            *(self._unless_at_work(name, self._tick_list(file, now, stop)) for name, file in lists.right.items()),
            *(self._report_wrong(name, error, now) for name, error in lists.wrong.items()),
            self._unless_at_work(_WITHOUT_FILE, self._deliver_without_file(lists.right.values(), stop)),
        )

    async def collect(self, *, now: datetime, stop: asyncio.Event) -> None:
        """Read the sources of all lists, so that votes are seen as they grow; takes what `tick` takes.

        Summaries of what is new are written meanwhile, so that little is left to do when an issue is due.
        """
        lists = await asyncio.to_thread(self._lists.read)
        for file in lists.right.values():
            self.liveness.sign("job collect")
            try:
                await unless_stopped(stop, self._collect(file.list, now))
            except StoppedError:
                return

    async def _collect(self, list_: NewsletterList, now: datetime) -> None:
        pipeline, sources = self._pipeline, self._pipeline.sources_of(list_)
        day, _ = await collect_now(pipeline.store, sources, list_, None, now=now)
        names = [source.name for source in sources]
        with bound_contextvars(list=list_.name):
            await summarized(pipeline.store, pipeline.summaries, list_, names, day, TIME_OF_COLLECTING)

    async def _unless_at_work(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Do the work for a list, unless an earlier tick is still at it."""
        if name in self._at_work:
            work.close()
            return
        self._at_work.add(name)
        try:
            with self.liveness.at_work(_work_on(name)):
                await work
        finally:
            self._at_work.discard(name)

    async def _tick_list(self, file: ListFile, now: datetime, stop: asyncio.Event) -> None:
        wish = Wish(only_due=True, stop=stop, progress=self.liveness.progress(_work_on(file.list.name)))
        with bound_contextvars(list=file.list.name):
            try:
                if not await self._is_right(file, now, stop):
                    await self._deliver_open(file.list.masthead.editions, wish)
                    return
                async for edition in editions_to_do(self._pipeline.store, file, now=now):
                    await self._tick_edition(file, edition, wish)
            except StoppedError:
                log.info("tick_left")
            except ListFileError as error:  # it was written since; the next tick delivers what is closed
                await self._report_wrong(file.list.name, error, now)
            except NewsletterError as error:
                await issue_failed(self._alarm, file.list.name, agenda(file.list, now).day, error)

    async def _is_right(self, file: ListFile, now: datetime, stop: asyncio.Event) -> bool:
        """Return whether the members of a list are right. Files that are the same as at the sync are not read.

        The subscribers are brought into line with files that have changed, so that who was taken out gets nothing
        more of an issue that is closed. Files that somebody may still be writing to wait for the next tick.
        """
        pipeline = self._pipeline
        try:
            is_synced = await unless_stopped(stop, check(pipeline.store.subscribers, file))
            if not is_synced and pipeline.applies_files and await asyncio.to_thread(file.roster.is_at_rest):
                await unless_stopped(stop, pipeline.sync(file, now=now))
        except FileChangedError as error:  # somebody is at it
            log.info("list_file_changing", reason=str(error))
        except ListFileError as error:
            await self._report_wrong(file.list.name, error, now)
        else:
            await self._note_right(file.list.name)
            return True
        return False

    async def _tick_edition(self, file: ListFile, edition: Edition, wish: Wish) -> None:
        """Make the edition's issue if that is to be done, and deliver; else deliver what is open."""
        if not self._has_news(edition):
            await self._deliver_open([edition.list.name], wish)
            return
        try:
            report = await self._pipeline.run_edition(file, edition, wish)
        except StoreError:
            self._try_again_soon(edition)
            raise
        await tell_of(self._alarm, report)

    def _has_news(self, edition: Edition) -> bool:
        """Return whether an issue is to be made, or was missed since the last tick; note that it was seen."""
        slot, now, name = edition.agenda.slot, edition.agenda.now, edition.list.name
        if slot is None:
            return False
        if edition.state is SlotState.MISSED and self._missed.get(name) != slot.day:
            self._missed[name] = slot.day
            return True
        day, tried, pause = self._tried.get(name, (None, now, self._retry_after))
        # The clock may have been set back since.
        is_too_early = day == slot.day and timedelta() <= now - tried < pause
        if edition.state is not SlotState.DUE or edition.is_made or is_too_early:
            return False
        self._tried[name] = slot.day, now, self._retry_after
        return True

    def _try_again_soon(self, edition: Edition) -> None:
        """Leave an issue alone for a moment only: a database that restarts is back then."""
        tried = self._tried.get(edition.list.name)
        if tried is not None:
            self._tried[edition.list.name] = *tried[:2], min(_RETRY_SOON, self._retry_after)

    async def _deliver_open(self, lists: Collection[str], wish: Wish) -> None:
        await self._pipeline.delivering.deliver_open(lists=lists, progress=wish.progress, stop=wish.stop)

    async def _deliver_without_file(self, files: Iterable[ListFile], stop: asyncio.Event) -> None:
        """Deliver the closed issues of lists whose file is wrong or gone, by the issues' own terms."""
        progress = self.liveness.progress(_work_on(_WITHOUT_FILE))
        await self._pipeline.delivering.deliver_without_file(files, progress=progress, stop=stop)

    async def _note_right(self, name: str) -> None:
        """Say that the files of a list are right, unless they were so before."""
        self._wrong.pop(name, None)
        if name not in self._right:
            await self._alarm.over(OF_FILES, name)
            self._right.add(name)

    async def _report_wrong(self, name: str, error: ListFileError, now: datetime) -> None:
        """Ring the alarm for the mistakes of a list file, unless they are the same as before."""
        self._right.discard(name)
        if self._wrong.get(name) == str(error):
            return
        self._wrong[name] = str(error)
        await issue_failed(self._alarm, name, now.date(), error)


def _work_on(list_: str) -> str:
    """Return by which name the work on a list is watched."""
    return f"list {list_}" if list_ else "lists without a file"


async def _side_by_side(*work: Coroutine[None, None, None]) -> None:
    """Do all of some work, then raise the first error if there was one."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome

"""Jobs for workers. They are disposable: the ledger knows what is to be done, and jobs that lack are added."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from newsletter.core.jobs import ChunkJob
from newsletter.ports.cluster import JobCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueJobs:
    """How the jobs of one issue stand.

    Attributes:
        todo: those that may be taken now, or in a few seconds, after the database failed.
        doing: those that workers are at.
        trouble: what kept one from being done that was put off, or is empty.
        waiting: why one was put off although nothing is wrong, or is empty.
    """

    todo: int = 0
    doing: int = 0
    trouble: str = ""
    waiting: str = ""


class ClosingJobs(Protocol):
    """Writes the jobs of an issue in the transaction that closes it."""

    async def are_wanted(self, connection: Any, *, has_workers: bool) -> bool:
        """Return whether workers are to deliver.

        Args:
            connection: the driver's own, in a transaction.
            has_workers: whether one lives that takes such jobs.
        """
        ...

    async def write(self, connection: Any, jobs: Sequence[ChunkJob]) -> None:
        """Write jobs, within the transaction of a connection.

        Raises:
            StoreError: they cannot be written.
        """
        ...


class JobQueue(JobCounts, Protocol):
    """Jobs that workers take.

    All methods raise StoreError where the database cannot be reached.
    """

    async def of_issue(self, issue_key: int) -> IssueJobs:
        """Return how the jobs of an issue stand."""
        ...

    async def hasten(self, issue_key: int, *, now: datetime, again: bool = False, at_once: bool = False) -> None:
        """Let the jobs of an issue be taken now whose time has come.

        Args:
            issue_key: the issue's.
            now: the moment (aware) by the program's clock, which decides, not by the database's.
            again: those too that were put off.
            at_once: all of them; and they leave the issue's hours and deadline aside.
        """
        ...

    async def leave_hours_aside(self, issue_key: int) -> bool:
        """Let the jobs of an issue that keep to its hours be taken now, and leave the hours and deadline aside.

        Returns:
            Whether there were such jobs that nobody is at.
        """
        ...

    async def add(self, jobs: Sequence[ChunkJob], *, at_once: bool = False) -> None:
        """Add jobs; `at_once`: they leave the issue's hours and deadline aside."""
        ...

    async def ask_for_mails(self) -> None:
        """Add a job that sends the mails that wait, unless one waits already."""
        ...

    async def drop(self, issue_key: int) -> None:
        """Remove the jobs of an issue that nobody is at."""
        ...

    async def issues(self) -> Collection[int]:
        """Return the keys of the issues that have jobs."""
        ...

    async def bring_back(self) -> int:
        """Let others take the jobs of workers that are dead, or silent for long; return how many there were."""
        ...

    async def takes_turn(self, every: float) -> bool:
        """Return whether this process is to look after the jobs: of all, one does every so many seconds."""
        ...

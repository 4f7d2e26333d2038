"""Tells the service manager how the process stands, as systemd wants it of a service of `Type=notify`.

Assignments go to a socket in datagrams: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
Where no service manager listens, nothing is told.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from newsletter.core.text import one_line

log = structlog.get_logger(__name__)

_LONGEST_STATUS = 200  # characters


class ServiceManager:
    """The service manager that has started this process, if one has, and wants to be told how it stands."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Find out whether there is one.

        Args:
            environment: of the process: `NOTIFY_SOCKET`, a path or `@` and an abstract name; `WATCHDOG_USEC`,
                after how many microseconds without a sign of life the process is killed; `WATCHDOG_PID`, which
                process that is.
        """
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        is_for_us = environment.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
        patience = environment.get("WATCHDOG_USEC", "") if address and is_for_us else ""
        self.patience = timedelta(microseconds=int(patience)) if patience.isdecimal() else timedelta()

    def ready(self, status: str) -> None:
        """Tell that the service works, and in one sentence what it does."""
        self._tell(f"READY=1\nSTATUS={_status(status)}")

    def stopping(self, status: str) -> None:
        """Tell that the service is about to end."""
        self._tell(f"STOPPING=1\nSTATUS={_status(status)}")

    def status(self, status: str) -> None:
        """Tell in one sentence what the service does."""
        self._tell(f"STATUS={_status(status)}")

    def alive(self, status: str) -> None:
        """Give the sign of life that the watchdog waits for."""
        self._tell(f"WATCHDOG=1\nSTATUS={_status(status)}")

    def _tell(self, assignments: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
                to.setblocking(False)
                to.sendto(assignments.encode(), self._address)
        except OSError as error:  # the work goes on without; a watchdog that hears nothing restarts the service
            log.warning("service_manager_not_told", reason=str(error))


def _status(status: str) -> str:
    return one_line(status, _LONGEST_STATUS)


@asynccontextmanager
async def reported(
    manager: ServiceManager, status: Callable[[], str], trouble: Callable[[], str]
) -> AsyncIterator[None]:
    """Tell a service manager that the service is ready, that it lives, and at the end that it stops.

    While there is trouble, the watchdog gets no sign of life: the service manager ends the process and starts it
    anew, which loses nothing.

    Args:
        manager: the service manager.
        status: returns in one sentence what the service does.
        trouble: returns why the service has to be taken for dead, or nothing.
    """
    manager.ready(status())
    showing = asyncio.create_task(_show_life(manager, status, trouble)) if manager.patience else None
    try:
        yield
    finally:
        manager.stopping("finishing what is in flight")
        if showing:
            showing.cancel()
            await asyncio.wait([showing])


async def _show_life(manager: ServiceManager, status: Callable[[], str], trouble: Callable[[], str]) -> None:
    """Give signs of life at half of the interval in which one is waited for, as systemd recommends."""
    told = ""
    while True:
        reason = trouble()
        if reason:
            manager.status(reason)
            if reason != told:
                log.error("hangs", reason=reason, hint="the service manager is to start the process anew")
        else:
            manager.alive(status())
        told = reason
        await asyncio.sleep(manager.patience.total_seconds() / 2)

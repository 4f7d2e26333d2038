"""Reads mailboxes to their end: what their mails say is kept first, and then they are put aside."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import structlog

from newsletter.core.bounces import Outcome
from newsletter.core.tokens import Links
from newsletter.inbound.reports import ReadMail, read_mail
from newsletter.ports import (
    Clock,
    HeldDomain,
    InboundEvents,
    Mailbox,
    MailboxSource,
    StoredMail,
    Suppressions,
    Taken,
)

log = structlog.get_logger(__name__)

_AT_ONCE = 50  # mails whose events are taken in one transaction
_MOST_SHOWN = 1000
_UNCLEAR = frozenset({Outcome.UNKNOWN, Outcome.FORGED})


@dataclass(slots=True)
class Processed:
    """What reading mailboxes came to.

    Attributes:
        mails: how many were read.
        outcomes: how many events came to what.
        shown: where each of the first events stood, and what it came to.
        held: domains of which addresses are held from now on.
    """

    mails: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    shown: list[tuple[str, Taken]] = field(default_factory=list)
    held: Sequence[HeldDomain] = ()

    def add(self, place: str, taken: Iterable[Taken]) -> None:
        """Add what a mail came to."""
        self.mails += 1
        for one in taken:
            self.outcomes[one.outcome] += 1
            if len(self.shown) < _MOST_SHOWN:
                self.shown.append((place, one))


@dataclass(frozen=True, slots=True)
class InboundMail:
    """Reads mailboxes.

    Args:
        events: keeps what mails say.
        suppressions: decides on addresses that are called dead.
        links: reads marks and tokens.
        clock: the present moment.
    """

    events: InboundEvents
    suppressions: Suppressions
    links: Links
    clock: Clock

    async def process(
        self, sources: Sequence[MailboxSource], *, rehearse: bool = False, stopping: Callable[[], bool] = bool
    ) -> Processed:
        """Read all mails of some mailboxes, and then decide on the addresses that were called dead.

        Args:
            sources: the mailboxes.
            rehearse: find out what the mails say, and change nothing.
            stopping: returns whether to leave the rest.

        Raises:
            InboundError: a mailbox cannot be read; what was read before that is kept.
            StoreError: nothing more can be kept; the mails stay where they are.
        """
        done = Processed()
        try:
            for source in sources:
                async with source.open() as mailbox:
                    await self._read(source.name, mailbox, done, rehearse=rehearse, stopping=stopping)
        finally:
            if not rehearse:
                done.held = await self.judge()
        return done

    async def judge(self) -> Sequence[HeldDomain]:
        """Decide on the addresses that were called dead; return the domains of which some are held from now on."""
        held = await self.suppressions.judge(now=self.clock())
        for one in held:
            log.warning("dead_addresses_held", domain=one.domain, addresses=one.addresses, reason=one.reason)
        return held

    async def _read(
        self, name: str, mailbox: Mailbox, done: Processed, *, rehearse: bool, stopping: Callable[[], bool]
    ) -> None:
        while not stopping() and (mails := await mailbox.unread(limit=_AT_ONCE)):
            read = await asyncio.to_thread(self._all_read, mails)
            events = [event for one in read for event in one.events]
            taken = iter(await self.events.take(events, now=self.clock(), rehearse=rehearse))
            unclear = set()
            for mail, one in zip(mails, read, strict=True):
                outcomes = list(islice(taken, len(one.events)))
                done.add(f"{name}: {mail.name}", outcomes)
                if all(each.outcome in _UNCLEAR for each in outcomes):
                    unclear.add(mail.name)
                    log.info("inbound_unclear", place=name, mail=mail.name, reason=one.problem or "nobody's")
            if not rehearse:
                await mailbox.done([mail.name for mail in mails], unclear=unclear)

    def _all_read(self, mails: Sequence[StoredMail]) -> list[ReadMail]:
        return [read_mail(mail.raw, self.links) for mail in mails]

"""Reads mailboxes to their end: what their mails say is kept first, and then they are put aside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import structlog

from newsletter.core.bounces import InboundEvent, Outcome
from newsletter.core.tokens import Links
from newsletter.inbound.reports import ReadMail, read_mail
from newsletter.ports import (
    Clock,
    HeldDomain,
    InboundEvents,
    LedgerKeeper,
    Mailbox,
    MailboxSource,
    Processed,
    StoredMail,
    Suppressions,
    Taken,
)

log = structlog.get_logger(__name__)

_AT_ONCE = 50  # mails
_EVENTS_AT_ONCE = 100  # in one transaction
_UNCLEAR = frozenset({Outcome.UNKNOWN, Outcome.FORGED})


@dataclass(frozen=True, slots=True)
class InboundMail:
    """Reads mailboxes.

    Args:
        events: keeps what mails say.
        suppressions: decides on addresses that are called dead.
        links: reads marks and tokens.
        clock: the present moment.
        keeper: keeps the ledger elsewhere before mails are put aside; None: nobody has to.
    """

    events: InboundEvents
    suppressions: Suppressions
    links: Links
    clock: Clock
    keeper: LedgerKeeper | None = None

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
            taken = iter(await self._taken(events, rehearse=rehearse))
            unclear = set()
            for mail, one in zip(mails, read, strict=True):
                outcomes = list(islice(taken, len(one.events)))
                done.add(f"{name}: {mail.name}", outcomes)
                if all(each.outcome in _UNCLEAR for each in outcomes):
                    unclear.add(mail.name)
                    log.info(
                        "inbound_unclear", place=name, mail=mail.name, reason=one.problem or outcomes[0].outcome
                    )
            if not rehearse:
                if self.keeper is not None:  # a mail that is put aside is read no more
                    await self.keeper.keep()
                await mailbox.done([mail.name for mail in mails], unclear=unclear)

    async def _taken(self, events: Sequence[InboundEvent], *, rehearse: bool) -> list[Taken]:
        """Take events, some in each transaction: a mail may have many, and others write meanwhile."""
        taken: list[Taken] = []
        for start in range(0, len(events), _EVENTS_AT_ONCE):
            some = events[start : start + _EVENTS_AT_ONCE]
            taken += await self.events.take(some, now=self.clock(), rehearse=rehearse)
        return taken

    def _all_read(self, mails: Sequence[StoredMail]) -> list[ReadMail]:
        return [read_mail(mail.raw, self.links) for mail in mails]

"""The composition of what readers do by themselves: signing up, moving, leaving by mail. It stands above the root.

What it is made of is imported in its functions: `run` has nothing to send most of the time, and loads none of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from newsletter.bootstrap import utc_now

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from newsletter.bootstrap import Program
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.readers.background import Background
    from newsletter.readers.reader_letters import ReaderLetters
    from newsletter.readers.signup_mails import SignUpMails
    from newsletter.web.admission import Admission

_SECONDS_BETWEEN_TRIES = 300.0
_LOOKS, _SECONDS_BETWEEN_LOOKS = 100, 0.1  # whether another process has sent what waits
# Work that one process does at a time: what was sent is noted after it was sent.
_LETTERS, _SIGN_UPS = "letters", "sign-up-mails"


def sign_up_mails(program: Program) -> SignUpMails:
    """Return what sends the mails of sign-ups."""
    from newsletter.core.signup import Ceilings
    from newsletter.pipeline.newest import give_newest
    from newsletter.readers.signup_mails import SignUpMails

    async def give_latest(list_: NewsletterList, subscriber_key: int) -> None:
        await give_newest(program.store, program.pipeline.renderer, list_, subscriber_key, now=utc_now())

    limits = program.settings.signup
    return SignUpMails(
        signups=program.store.signups,
        subscribers=program.store.subscribers,
        lists=program.lists,
        letters=program.letters,
        links=program.links,
        ceilings=Ceilings(per_address=limits.per_address, per_domain=limits.per_domain, per_hour=limits.per_hour),
        tells_operator=limits.tell_operator,
        give_latest=give_latest,
        clock=utc_now,
    )


def reader_letters(program: Program) -> ReaderLetters:
    """Return what writes to readers who move to another address, or left by mail."""
    from newsletter.readers.reader_letters import ReaderLetters

    return ReaderLetters(
        changes=program.store.address_changes,
        leavings=program.store.leavings,
        lists=program.lists,
        letters=program.letters,
        links=program.links,
        clock=utc_now,
    )


def in_the_background(program: Program) -> tuple[Background, Background]:
    """Return what sends letters to readers, and what sends the mails of sign-ups, when they are asked to."""
    from newsletter.readers.background import Background

    letters, mails = reader_letters(program), sign_up_mails(program)

    async def send_letters(_: asyncio.Event) -> bool:
        if await _workers_mail(program):
            return True
        async with program.store.turns.alone(_LETTERS) as is_ours:
            return await letters.send() if is_ours else True

    async def send_mails(stop: asyncio.Event) -> bool:
        if not await _workers_mail(program):
            async with program.store.turns.alone(_SIGN_UPS) as is_ours:
                if is_ours:
                    await mails.send(stop=stop)
        return True  # the ledger knows when what was left is to be tried again

    pause = _SECONDS_BETWEEN_TRIES
    return Background("letters to readers", send_letters, pause=pause), Background("mails of sign-ups", send_mails)


def for_workers(program: Program) -> Background:
    """Return what asks workers, if there are any, to send the mails that wait."""
    from newsletter.readers.background import Background

    async def ask(_: asyncio.Event) -> bool:
        await _workers_mail(program)
        return True  # who delivers looks into the database for what is to be mailed

    return Background("asking workers to mail", ask)


async def send_by_worker(program: Program, stop: asyncio.Event) -> None:
    """Send all mails to single persons that wait, unless another process is at it."""
    async with program.store.turns.alone(_SIGN_UPS) as is_ours:
        if is_ours:
            await sign_up_mails(program).send(stop=stop)
    async with program.store.turns.alone(_LETTERS) as is_ours:
        if is_ours and not stop.is_set():
            await reader_letters(program).send()


async def _workers_mail(program: Program) -> bool:
    """Return whether workers send the mails to single persons; they are asked to, then."""
    from newsletter.core.jobs import Queue

    jobs = program.jobs
    if jobs is None:
        return False
    if program.settings.delivery.dispatcher != "procrastinate":
        alive = await program.store.live_workers.alive()
        if not any(Queue.MAILS in worker.queues for worker in alive):
            return False
    await jobs.ask_for_mails()
    return True


def admission(program: Program, wake: Callable[[], None]) -> Admission:
    """Return what lets requests to sign up in; they call `wake`."""
    from newsletter.lists.addresses import normal_address
    from newsletter.readers.signup import SigningUp
    from newsletter.web.admission import Admission
    from newsletter.web.clients import Clients, SharedQuota
    from newsletter.web.puzzles import Puzzles

    signing_up = SigningUp(
        signups=program.store.signups,
        subscribers=program.store.subscribers,
        lists=program.lists,
        links=program.links,
        check_address=normal_address,
        wake=wake,
    )
    settings, secret, counts = program.settings, program.links.secret_key, program.store.shared_counts
    return Admission(
        signing_up=signing_up,
        clients=Clients(settings.web.trusted_proxies),
        quota=SharedQuota(
            what="sign-up",
            most=settings.signup.per_client,
            per=timedelta(hours=1),
            counts=counts,
            secret=secret,
            clock=utc_now,
        ),
        puzzles=Puzzles(secret=secret, counts=counts, clock=utc_now) if settings.signup.altcha else None,
        clock=utc_now,
    )


async def send_waiting_mails(program: Program, stop: asyncio.Event) -> None:
    """Send the mails of sign-ups that wait, until `stop` is set, or wait a while for another process that does."""
    import asyncio

    for _ in range(_LOOKS):
        if stop.is_set() or not await program.store.signups.has_mails(now=utc_now()):
            return
        async with program.store.turns.alone(_SIGN_UPS) as is_ours:
            if is_ours:
                await sign_up_mails(program).send(stop=stop)
                return
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

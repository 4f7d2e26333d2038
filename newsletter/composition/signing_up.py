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
        return await letters.send()

    async def send_mails(stop: asyncio.Event) -> bool:
        await mails.send(stop=stop)
        return True  # the ledger knows when what was left is to be tried again

    pause = _SECONDS_BETWEEN_TRIES
    return Background("letters to readers", send_letters, pause=pause), Background("mails of sign-ups", send_mails)


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
    """Send the mails of sign-ups that wait, until `stop` is set."""
    if await program.store.signups.has_mails(now=utc_now()):
        await sign_up_mails(program).send(stop=stop)

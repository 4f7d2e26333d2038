"""Signing up: what a page notes of who asks, confirms or is accepted. Mails are sent by `readers.signup_mails`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import structlog

from newsletter.core.newsletter_list import Cadence, NewsletterList, SignUpRule
from newsletter.core.signup import SignUp, SignUpRequest, SignUpState, accepts_sign_ups, client_mark
from newsletter.core.tokens import Links
from newsletter.ports import Issues, Lists, SignUps, Subscribers
from newsletter.readers.next_issue import next_issue

log = structlog.get_logger(__name__)

_NOBODY = 0  # no sign-up has this number


class ClosedForNowError(Exception):
    """Nobody can sign up for a list at the moment, as its file has mistakes; what they are is the operator's."""


class Joined(StrEnum):
    """What a confirmation, or the operator's decision, came to."""

    ON_LIST = "on the list"
    WAITS = "waits"  # for the operator
    DECLINED = "declined"
    STAYS_OUT = "stays out"  # no mail may go to the address, by the operator's word


class Asked(NamedTuple):
    """A sign-up that a link is about, and its list as its file says now."""

    signup: SignUp
    list: NewsletterList


class Confirmation(NamedTuple):
    """What a confirmation came to, and the number of the subscriber, if there is one now."""

    joined: Joined
    subscriber_key: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningUp:
    """Notes who asks for a list, who confirms it, and whom the operator accepts.

    Attributes:
        signups: those who asked.
        subscribers: those who are on a list.
        lists: the list files, which say who may sign up.
        links: reads the tokens of mails.
        check_address: returns an address in its normal form; raises ValueError if no mail can go to it.
        wake: is called when a mail is to be sent.
    """

    signups: SignUps
    subscribers: Subscribers
    lists: Lists
    links: Links
    check_address: Callable[[str], str]
    wake: Callable[[], None]

    async def list_named(self, name: str) -> NewsletterList | None:
        """Return the list of a name; None: there is none.

        Raises:
            ClosedForNowError: its file has mistakes.
        """
        loaded = await asyncio.to_thread(self.lists.read)
        if name in loaded.with_mistakes:
            raise ClosedForNowError(f"the file of the list {name} has mistakes")
        file = loaded.right.get(name)
        return None if file is None else file.list

    def is_open(self, list_: NewsletterList) -> bool:
        """Return whether readers may sign up for a list by themselves."""
        return accepts_sign_ups(list_.signup, has_pages=bool(self.links.public_url))

    async def ask(self, list_: NewsletterList, request: SignUpRequest, *, client: str, now: datetime) -> None:
        """Note that somebody asks for a list; the mail that asks for confirmation is sent soon after.

        Args:
            list_: the list.
            request: what is asked.
            client: the network that it comes from, or nothing; only a keyed hash of it is kept.
            now: aware, UTC.
        """
        mark = client_mark(client, self.links.secret_key)
        await self.signups.ask(list_.name, request, client=mark, now=now)
        log.info("sign_up_asked", list=list_.name)
        self.wake()

    async def to_confirm(self, token: str, *, now: datetime) -> Asked | None:
        """Return the sign-up that a token confirms; None if it does not: it was used, is too old or not ours.

        The ledger is asked in any case, so that all answers take the same time.

        Raises:
            ClosedForNowError: the file of its list has mistakes.
        """
        signup = await self._signup(self.links.read_confirm(token, now=now))
        return await self._asked(signup) if signup and signup.may_be_confirmed else None

    async def confirm(self, asked: Asked, *, wants_latest: bool, now: datetime) -> Confirmation | None:
        """Do what a reader confirmed; None if they may not any more. Safe to repeat after being cut off.

        Args:
            asked: what `to_confirm` returned.
            wants_latest: whether the reader wants the newest issue at once.
            now: aware, UTC.
        """
        signup, list_ = asked
        needs_approval = list_.signup is SignUpRule.APPROVAL
        joined = Confirmation(Joined.WAITS) if needs_approval else await self._join(signup, now)
        if joined.joined is Joined.STAYS_OUT:
            return joined
        is_news = await self.signups.confirm(
            signup.key, wants_latest=wants_latest, needs_approval=needs_approval, now=now
        )
        if not is_news:
            return None
        log.info("sign_up_confirmed", list=signup.list, waits=needs_approval)
        self.wake()
        return joined

    async def to_decide(self, token: str, *, now: datetime) -> Asked | None:
        """Return the sign-up that the operator is asked about by a token; None if that is decided, or not ours.

        Raises:
            ClosedForNowError: the file of its list has mistakes.
        """
        key = self.links.read_decide(token, now=now)
        return await self.waiting_one(_NOBODY if key is None else key)

    async def waiting(self, *, limit: int) -> list[Asked]:
        """Return whom the operator has to decide about, the oldest first, `limit` at most."""
        lists = (await asyncio.to_thread(self.lists.read)).right
        found = await self.signups.to_decide(limit=limit)
        return [Asked(one, lists[one.list].list) for one in found if one.list in lists]

    async def waiting_one(self, key: int) -> Asked | None:
        """Return the sign-up of a number; None if the operator does not, or not any more, decide about it.

        Raises:
            ClosedForNowError: the file of its list has mistakes.
        """
        signup = await self._signup(key)
        return await self._asked(signup) if signup and signup.state is SignUpState.CONFIRMED else None

    async def decide(self, asked: Asked, *, accepted: bool, now: datetime) -> Joined | None:
        """Do what the operator decided. It is safe to repeat after being cut off.

        Returns:
            None: somebody decided before. `STAYS_OUT`: no mail may go to the address, so nothing was decided; else
            what was decided.
        """
        joined = (await self._join(asked.signup, now)).joined if accepted else Joined.DECLINED
        if joined is Joined.STAYS_OUT:
            return joined
        if not await self.signups.decide(asked.signup.key, accepted=accepted, now=now):
            return None
        log.info("sign_up_decided", list=asked.signup.list, accepted=accepted)
        self.wake()
        return joined

    async def _signup(self, key: int | None) -> SignUp | None:
        return await self.signups.find(_NOBODY if key is None else key)

    async def _asked(self, signup: SignUp) -> Asked | None:
        list_ = await self.list_named(signup.list)
        return Asked(signup, list_) if list_ and self.is_open(list_) else None

    async def _join(self, signup: SignUp, now: datetime) -> Confirmation:
        """Put a reader on the list, who confirmed that they want it: their own word ends that they had left."""
        confirmed = await self.subscribers.return_by_confirmation(signup.list, signup.member, now=now)
        if confirmed.key is None:
            log.warning("sign_up_stays_out", list=signup.list, reason=str(confirmed.barred))
            return Confirmation(Joined.STAYS_OUT)
        return Confirmation(Joined.ON_LIST, confirmed.key)


async def first_issue(
    issues: Issues, list_: NewsletterList, cadence: Cadence | None, now: datetime
) -> datetime | None:
    """Return when the first issue comes to somebody who joins a list now (UTC); None: nobody knows.

    Args:
        issues: what was made.
        list_: the list.
        cadence: the reader's; None: the list's own.
        now: aware.
    """
    weekly = list_.weekly_edition if cadence is Cadence.WEEKLY else None
    slot = await next_issue(issues, weekly or list_, now)
    return None if slot is None else slot.at

"""The mails of sign-ups: that ask for confirmation, remind, ask the operator, and welcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import NewsletterError
from newsletter.core.newsletter_list import Masthead, NewsletterList, SignUpRule
from newsletter.core.signup import DECIDED_WITHIN, VALID_FOR, Ceilings, SignUp, SignUpMail
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.core.tokens import Links
from newsletter.ports import Clock, LetterKind, Letters, Lists, LoadedLists, SignUps, Subscribers
from newsletter.render.issue.catalogues import SOURCE
from newsletter.render.issue.language import language
from newsletter.render.issue.times import schedule, span
from newsletter.render.mime.addresses import Mailbox

log = structlog.get_logger(__name__)

# What a process had in hand when it was stopped waits for a while: so it is little.
_IN_A_ROUND = 5
_FAILURES = 3  # in a row, after which a round ends: the relay is in trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpMails:
    """Sends what sign-ups need to be sent. Several processes may do so at once: the ledger gives each its own.

    Attributes:
        signups: those who asked.
        subscribers: those who are on a list.
        lists: the list files.
        letters: writes the mails.
        links: makes their links.
        ceilings: of mails that ask for confirmation.
        tells_operator: whether the operator gets a note of each new reader.
        give_latest: has the newest issue of a list delivered to a subscriber, by number, who did not get it yet.
        clock: the present moment.
    """

    signups: SignUps
    subscribers: Subscribers
    lists: Lists
    letters: Letters
    links: Links
    ceilings: Ceilings
    tells_operator: bool
    give_latest: Callable[[NewsletterList, int], Awaitable[None]]
    clock: Clock

    async def send(self, *, stop: asyncio.Event | None = None) -> None:
        """Send all that may be sent now.

        Args:
            stop: when set, no further mail is begun.

        Raises:
            StoreError: the ledger cannot be read or written.
            ConfigurationError: the folder of list files is not there.
        """
        await self.signups.forget_old(now=self.clock())
        failures = 0
        while some := await self.signups.next_mails(self.ceilings, most=_IN_A_ROUND, now=self.clock()):
            lists = await asyncio.to_thread(self.lists.read)
            for one in some:
                if stop is not None and stop.is_set():
                    return
                failures = 0 if await self._send_of(one, lists) else failures + 1
            if failures >= _FAILURES:
                break

    async def _send_of(self, signup: SignUp, lists: LoadedLists) -> bool:
        """Send the next mail of a sign-up if its list takes readers still; else it is over, or waits for its file.

        Returns:
            False: the relay did not take it.
        """
        file = lists.right.get(signup.list)
        if file is not None and file.list.signup is not SignUpRule.CLOSED:
            return await self._send(signup, file.list)
        is_over = signup.list not in lists.wrong
        log.warning("letter_of_no_list", list=signup.list, is_over=is_over)
        await self.signups.mail_not_sent(signup.key, for_good=is_over, now=self.clock())
        return True  # the relay is in no trouble

    async def _send(self, signup: SignUp, list_: NewsletterList) -> bool:
        """Send the next mail of a sign-up, and note what became of it; return whether it was sent."""
        mail, now = signup.next_mail, self.clock()
        if mail is None:
            return False
        try:
            outcome = await self._hand_over(signup, mail, list_, now)
        except NewsletterError as error:
            log.warning("letter_not_sent", list=signup.list, kind=mail.value, reason=str(error))
            await self.signups.mail_not_sent(signup.key, for_good=False, now=now)
            return False
        if outcome is None or outcome.state is DeliveryState.SENT:
            await self.signups.mail_sent(signup.key, mail, now=now)
            return True
        is_refused = outcome.state is DeliveryState.REFUSED and not outcome.doubt
        log.info("letter_not_taken", list=signup.list, kind=mail.value, code=outcome.code, text=outcome.text)
        await self.signups.mail_not_sent(signup.key, for_good=is_refused, now=now)
        return is_refused  # then the relay is not in trouble

    async def _hand_over(
        self, signup: SignUp, mail: SignUpMail, list_: NewsletterList, now: datetime
    ) -> Outcome | None:
        match mail:
            case SignUpMail.CONFIRM | SignUpMail.REMINDER:
                return await self._ask(signup, mail, list_, now)
            case SignUpMail.APPROVAL:
                return await self._ask_operator(signup, list_, now)
            case SignUpMail.WELCOME:
                return await self._welcome(signup, list_, now)

    async def _ask(self, signup: SignUp, mail: SignUpMail, list_: NewsletterList, now: datetime) -> Outcome:
        until = now + VALID_FOR if mail is SignUpMail.CONFIRM else signup.until
        left = max((until - now).days, 1)
        values = {
            "email": signup.request.email,
            "confirm_url": self.links.confirm(signup.key, until),
            "valid_for": span(language(list_.masthead.language), left),
        }
        to = (signup.request.name, signup.request.email)
        return await self._letter(mail, list_.masthead, to, values, signup, now)

    async def _ask_operator(self, signup: SignUp, list_: NewsletterList, now: datetime) -> Outcome:
        values = {
            "email": signup.request.email,
            "name": signup.request.name,
            "topics": signup.request.topics,
            "decide_url": self.links.decide(signup.key, now + DECIDED_WITHIN),
            "days": DECIDED_WITHIN.days,
        }
        return await self._to_operator(LetterKind.APPROVAL, list_, values, signup, now)

    async def _welcome(self, signup: SignUp, list_: NewsletterList, now: datetime) -> Outcome | None:
        """Welcome a reader; None if they have left again meanwhile."""
        found = await self.subscribers.records(list_name=list_.name, address_key=signup.request.address_key)
        if not found or found[0].barred or found[0].subscriber.status is not SubscriberStatus.ACTIVE:
            return None
        key, reader = found[0].key, found[0].subscriber
        if signup.wants_latest:
            await self.give_latest(list_, key)
        if self.tells_operator and list_.signup is not SignUpRule.APPROVAL:
            values = {"email": reader.email, "name": reader.name, "topics": reader.topics}
            await self._to_operator(LetterKind.NEW_READER, list_, values, signup, now)
        return await self._letter(
            SignUpMail.WELCOME,
            list_.masthead,
            (reader.name, reader.email),
            welcome_values(list_, reader, key, self.links),
            signup,
            now,
            way_out=self.links.unsubscribe(key),
        )

    async def _to_operator(
        self, kind: LetterKind, list_: NewsletterList, values: Mapping[str, Any], signup: SignUp, now: datetime
    ) -> Outcome:
        """Write to who answers for the list, in English, as all that is said to operators."""
        masthead = replace(list_.masthead, language=SOURCE)
        address = Mailbox.parse(masthead.reply_to or masthead.sender).address
        about = f"signup {signup.key}"
        return await self.letters.send(kind, masthead, ("", address), values, about=about, now=now)

    async def _letter(
        self,
        mail: SignUpMail,
        masthead: Masthead,
        to: tuple[str, str],
        values: Mapping[str, Any],
        signup: SignUp,
        now: datetime,
        *,
        way_out: str = "",
    ) -> Outcome:
        about = f"signup {signup.key} {signup.asked_at.timestamp():.0f}"  # whoever asks again gets another mail
        return await self.letters.send(
            LetterKind(mail.value), masthead, to, values, about=about, now=now, way_out=way_out
        )


def welcome_values(list_: NewsletterList, reader: Subscriber, key: int, links: Links) -> dict[str, Any]:
    """Return what the welcome mail says of a reader and their list, beside the masthead."""
    return {
        "name": reader.name,
        "email": reader.email,
        "schedule": schedule(language(list_.masthead.language), list_, reader.cadence),
        "archive_url": f"{links.public_url}/{list_.name}",
        "preferences_url": links.preferences(key),
        "unsubscribe_url": links.unsubscribe(key),
    }

"""Signing up on the web, with double opt-in: what is asked, what becomes of it, how much mail it may cause. Pure.

Whoever types an address need not own it. So a sign-up puts nobody on a list: it causes one mail to that address,
and the button behind the link in it does. Mail to strangers is what such a form can be abused for. So what counts
are ceilings on the number of these mails, which the ledger keeps, however many clients ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from newsletter.core.address import address_key
from newsletter.core.newsletter_list import Cadence, NewsletterList, SignUpRule
from newsletter.core.seals import key_of
from newsletter.core.subscriber import Member, SubscriberStatus
from newsletter.core.text import one_line

# How long the link of a confirmation mail works; after that the address is forgotten.
VALID_FOR = timedelta(days=7)
# How long an operator may take to decide on a reader.
DECIDED_WITHIN = timedelta(days=30)
# After this, a mail that was not answered is followed by one reminder.
REMIND_AFTER = timedelta(days=1)
# Who asks again within this gets no second mail: the first one is on its way.
ASK_AGAIN_AFTER = timedelta(minutes=10)
# What a process began to send and did not finish within this, another one sends.
GIVEN_UP_AFTER = timedelta(minutes=15)

_ATTEMPTS = 6  # at handing one mail over

A_WEEK, AN_HOUR, A_SPAN = timedelta(days=7), timedelta(hours=1), timedelta(minutes=10)
_SPANS = AN_HOUR // A_SPAN

LONGEST_NAME = 100
LONGEST_ADDRESS_TYPED = 320  # with what a form may put around it
MOST_TOPICS = 100


class SignUpState(StrEnum):
    """How far a sign-up has come."""

    ASKED = "asked"  # the mail that asks for confirmation is to be sent
    MAILED = "mailed"  # it was sent, and is waited for
    CONFIRMED = "confirmed"  # by the reader; the operator decides about it
    ACCEPTED = "accepted"  # the reader is on the list; the welcome mail is to be sent
    WELCOMED = "welcomed"  # it was sent
    DECLINED = "declined"  # by the operator


class SignUpMail(StrEnum):
    """A mail that a sign-up causes; the values are the names of their templates."""

    CONFIRM = "confirm"
    REMINDER = "reminder"
    APPROVAL = "approval"
    WELCOME = "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpRequest:
    """What somebody asks: that a list should come to an address, and with which wishes. All of it is unproven."""

    email: str
    name: str = ""
    topics: tuple[str, ...] = ()
    cadence: Cadence | None = None  # None: the list's own

    @property
    def address_key(self) -> str:
        """Return what identifies the address."""
        return address_key(self.email)

    @property
    def domain(self) -> str:
        """Return the domain by which mails are counted."""
        return self.address_key.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """A request as the ledger keeps it. Moments are aware, UTC.

    Attributes:
        key: a number that is never given again.
        list: the list's name.
        request: the newest one for this list and address.
        client: stands for the network that it came from, and tells nobody which; empty where that is not known.
        state: how far it has come.
        asked_at: when it was asked for, or last asked for again.
        mailed_at: when the last mail that asks for confirmation was sent.
        reminded_at: when the reminder was sent.
        confirmed_at: when the reader confirmed it.
        wants_latest: whether the reader, when confirming, asked for the newest issue at once.
        ready_at: from when on its next mail may be sent; None: there is none.
        attempts: how often that mail was tried.
    """

    key: int
    list: str
    request: SignUpRequest
    client: str = ""
    state: SignUpState = SignUpState.ASKED
    asked_at: datetime
    mailed_at: datetime | None = None
    reminded_at: datetime | None = None
    confirmed_at: datetime | None = None
    wants_latest: bool = False
    ready_at: datetime | None = None
    attempts: int = 0

    @property
    def until(self) -> datetime:
        """Return until when it is kept while nothing happens: as long as its newest link works."""
        if self.confirmed_at is not None:
            return self.confirmed_at + DECIDED_WITHIN
        return (self.mailed_at or self.asked_at) + VALID_FOR

    @property
    def may_be_confirmed(self) -> bool:
        """Return whether the reader may still confirm it: a link was mailed, and was not used.

        A mail that was begun counts: it may arrive before it is noted, and a crash may come between the two.
        """
        was_mailed = self.mailed_at is not None or self.attempts > 0
        return was_mailed and self.state in {SignUpState.ASKED, SignUpState.MAILED}

    @property
    def next_mail(self) -> SignUpMail | None:
        """Return which mail it causes next, or None."""
        return None if self.ready_at is None else _NEXT_MAIL.get(self.state)

    @property
    def member(self) -> Member:
        """Return the reader with the wishes that go with them."""
        request = self.request
        return Member(request.email, request.name, request.topics, cadence=request.cadence)


_NEXT_MAIL = {
    SignUpState.ASKED: SignUpMail.CONFIRM,
    SignUpState.MAILED: SignUpMail.REMINDER,
    SignUpState.CONFIRMED: SignUpMail.APPROVAL,
    SignUpState.ACCEPTED: SignUpMail.WELCOME,
}


class AddressProblem(StrEnum):
    """Why no mail can go to what was typed as an address."""

    MISSING = "missing"
    WRONG = "wrong"
    SEVERAL = "several"


class UnprovenError(Exception):
    """A request comes without the proof of work that is asked for, or with one that was used or is wrong."""


class RequestError(ValueError):
    """A request names no single address that mail can go to."""

    def __init__(self, problem: AddressProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def read_address(typed: str) -> str:
    """Return the one address that was typed, without what stands around it.

    Raises:
        RequestError: nothing was typed, or several addresses, or something that is too long to be one.
    """
    email = typed.strip().removeprefix("mailto:").strip()
    if not email:
        raise RequestError(AddressProblem.MISSING)
    if len(email) > LONGEST_ADDRESS_TYPED or "@" not in email:
        raise RequestError(AddressProblem.WRONG)
    if email.count("@") > 1 or any(mark in email for mark in ",;\n\r"):
        raise RequestError(AddressProblem.SEVERAL)
    return email


def wishes(
    email: str, list_: NewsletterList, *, name: str = "", topics: Iterable[str] = (), cadence: str = ""
) -> SignUpRequest:
    """Return the request for a list, with those of the wishes that the list has.

    Args:
        email: an address that mail can go to.
        list_: the list.
        name: as it was typed; it becomes one clean line.
        topics: names; what the list does not have is left out: its file may have changed since the form was made.
        cadence: `weekly`, where the list is daily; all else is the list's own.
    """
    wanted = set(topics)
    weekly = cadence == Cadence.WEEKLY and list_.cadence is Cadence.DAILY
    return SignUpRequest(
        email=email,
        name=one_line(name, LONGEST_NAME),
        topics=tuple(topic for topic in list_.topics if topic in wanted)[:MOST_TOPICS],
        cadence=Cadence.WEEKLY if weekly else None,
    )


def asked_again(known: SignUp, request: SignUpRequest, now: datetime) -> SignUp | None:
    """Return what a further request makes of one that is known, or None: it begins anew.

    Anew means with another number, so that the links in mails of the earlier one, which are used up, stay so.
    """
    # The reader of a mail that is on its way confirms the address that gets it, not a stranger's spelling of it.
    same = replace(request, email=known.request.email)
    match known.state:
        case SignUpState.ASKED if known.ready_at is None:  # its mail was given up
            return replace(known, request=same, asked_at=now, ready_at=now, attempts=0)
        case SignUpState.ASKED:
            return replace(known, request=same)
        case SignUpState.MAILED if known.mailed_at is None or now - known.mailed_at >= ASK_AGAIN_AFTER:
            return replace(known, request=same, state=SignUpState.ASKED, asked_at=now, ready_at=now, attempts=0)
        case SignUpState.MAILED:  # the mail is on its way
            return replace(known, request=same)
        case SignUpState.WELCOMED:
            return None
        case _:  # the operator has the word, or the welcome is on its way
            return known


def may_be_asked(status: SubscriberStatus | None, *, is_barred: bool) -> bool:
    """Return whether an address is asked to confirm: not if it gets the list already, or must get no mail at all.

    Args:
        status: of the address on the list; None: it was never there.
        is_barred: whether the address may not come back by its owner's own confirmation.
    """
    return status is not SubscriberStatus.ACTIVE and not is_barred


def not_asked(signup: SignUp) -> SignUp | None:
    """Return what becomes of a sign-up whose next mail asking for confirmation is not sent, as too many were.

    One that was mailed before goes on to wait for that mail's link; None: another is forgotten.
    """
    return None if signup.mailed_at is None else replace(signup, state=SignUpState.MAILED, ready_at=None)


def begun(signup: SignUp, now: datetime) -> SignUp:
    """Return a sign-up whose next mail is about to be sent; if nothing more is heard of it, it is tried again."""
    return replace(signup, ready_at=now + GIVEN_UP_AFTER, attempts=signup.attempts + 1)


def sent(signup: SignUp, mail: SignUpMail, now: datetime) -> SignUp:
    """Return a sign-up after one of its mails was handed over."""
    if mail is SignUpMail.CONFIRM:
        remind_at = None if signup.reminded_at else now + REMIND_AFTER
        signup = replace(signup, state=SignUpState.MAILED, mailed_at=now, ready_at=remind_at)
    else:
        signup = replace(signup, ready_at=None)
    if mail is SignUpMail.REMINDER:
        signup = replace(signup, reminded_at=now)
    elif mail is SignUpMail.WELCOME:
        signup = replace(signup, state=SignUpState.WELCOMED)
    return replace(signup, attempts=0)


def not_sent(signup: SignUp, now: datetime, *, for_good: bool = False) -> SignUp | None:
    """Return a sign-up whose mail was not taken: it is tried again after growing pauses, six times in all.

    Args:
        signup: what the mail was for.
        now: aware, UTC.
        for_good: the recipient's side refused it. A sign-up that waits for a reader there is over then (None).
    """
    if for_good:
        is_over = signup.state in {SignUpState.ASKED, SignUpState.MAILED}
        return None if is_over else replace(signup, ready_at=None)
    pause = GIVEN_UP_AFTER * 2 ** min(signup.attempts - 1, _ATTEMPTS)
    return replace(signup, ready_at=None if signup.attempts >= _ATTEMPTS else now + pause)


def confirmed(signup: SignUp, now: datetime, *, wants_latest: bool, needs_approval: bool) -> SignUp:
    """Return a sign-up that its reader has confirmed, which shows that the mail was sent, too."""
    state = SignUpState.CONFIRMED if needs_approval else SignUpState.ACCEPTED
    signup = replace(signup, state=state, mailed_at=signup.mailed_at or now, confirmed_at=now)
    return replace(signup, wants_latest=wants_latest, ready_at=now, attempts=0)


def decided(signup: SignUp, now: datetime, *, accepted: bool) -> SignUp:
    """Return a sign-up that the operator has decided on; who is declined hears nothing."""
    state = SignUpState.ACCEPTED if accepted else SignUpState.DECLINED
    return replace(signup, state=state, ready_at=now if accepted else None, attempts=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """The most mails that ask for confirmation: to an address in a week, to a domain and in all in an hour."""

    per_address: int = 3
    per_domain: int = 100
    per_hour: int = 300


@dataclass(frozen=True, slots=True)
class MailsSent:
    """How many such mails were sent in the last hour, and in the last ten minutes of it."""

    in_an_hour: int = 0
    in_a_span: int = 0


def room(ceiling: int, sent: MailsSent) -> int:
    """Return how many more mails may be sent now under a ceiling for an hour.

    Ten minutes get a sixth of it: who asks after a crowd has used that up waits for minutes, and not for an hour.
    """
    return max(0, min(ceiling - sent.in_an_hour, -(-ceiling // _SPANS) - sent.in_a_span))


def next_to_mail(
    waiting: Sequence[SignUp],
    crowds: Mapping[str, int],
    sent_in_all: MailsSent,
    sent_to: Mapping[str, MailsSent],
    ceilings: Ceilings,
) -> list[SignUp]:
    """Return which of those that wait get their mail now, under the ceilings for an hour.

    Reminders come last. Before them come those of clients that ask for few addresses, then those that asked first:
    so a client that asks for many keeps no other waiting.

    Args:
        waiting: those that are to be asked to confirm, or reminded.
        crowds: by client, how many addresses it asked for lately.
        sent_in_all: how many such mails were sent.
        sent_to: and by the domain of their recipients.
        ceilings: what may be sent.
    """
    left = room(ceilings.per_hour, sent_in_all)
    left_of: dict[str, int] = {}
    chosen: list[SignUp] = []
    for one in sorted(waiting, key=lambda one: _turn(one, crowds)):
        if len(chosen) >= left:
            break
        domain = one.request.domain
        remaining = left_of.setdefault(domain, room(ceilings.per_domain, sent_to.get(domain, MailsSent())))
        if remaining > 0:
            left_of[domain] -= 1
            chosen.append(one)
    return chosen


def _turn(one: SignUp, crowds: Mapping[str, int]) -> tuple[bool, int, datetime, int]:
    return one.state is SignUpState.MAILED, crowds.get(one.client, 1), one.asked_at, one.key


def client_mark(client: str, secret: str) -> str:
    """Return what stands for a client: the same for the same one, and nobody without the secret knows which.

    Args:
        client: its network, as text; empty where that is not known, and then so is the mark.
        secret: the program's.
    """
    if not client:
        return ""
    return blake2b(client.encode(), digest_size=12, key=key_of(secret), person=b"signup-client").hexdigest()


def accepts_sign_ups(rule: SignUpRule, *, has_pages: bool) -> bool:
    """Return whether readers may sign up by themselves: links to confirm by need pages that readers reach."""
    return has_pages and rule is not SignUpRule.CLOSED

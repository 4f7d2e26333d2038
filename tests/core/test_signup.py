"""Signing up: what a request becomes step by step, and how much mail it may cause, whoever asks."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.newsletter_list import Cadence, Masthead, NewsletterList, SignUpRule
from newsletter.core.signup import (
    A_SPAN,
    AN_HOUR,
    ASK_AGAIN_AFTER,
    LONGEST_NAME,
    REMIND_AFTER,
    VALID_FOR,
    AddressProblem,
    Ceilings,
    MailsSent,
    RequestError,
    SignUp,
    SignUpMail,
    SignUpRequest,
    SignUpState,
    accepts_sign_ups,
    asked_again,
    begun,
    client_mark,
    confirmed,
    decided,
    may_be_asked,
    next_to_mail,
    not_asked,
    not_sent,
    read_address,
    room,
    sent,
    wishes,
)
from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.topics import Topic
from newsletter.core.webmail import webmail_of

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
REQUEST = SignUpRequest(email="ada@example.org")
ASKED = SignUp(key=1, list="daily", request=REQUEST, asked_at=NOW, ready_at=NOW)
MAILED = sent(ASKED, SignUpMail.CONFIRM, NOW)
LIST = NewsletterList(
    masthead=Masthead(list="daily", title="T", sender="t@example.org"),
    sources=("huggingface",),
    topics={name: Topic(name=name) for name in ("agents", "vision")},
)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("  ", AddressProblem.MISSING),
        ("mailto:", AddressProblem.MISSING),
        ("ada", AddressProblem.WRONG),
        ("a" * 400 + "@example.org", AddressProblem.WRONG),
        ("ada@example.org, eve@example.org", AddressProblem.SEVERAL),
        ("ada@example.org eve@example.org", AddressProblem.SEVERAL),
        ("ada@example.org\r\nBcc: eve@example.org", AddressProblem.SEVERAL),
        ("ada@example.org;", AddressProblem.SEVERAL),
    ],
)
def test_what_is_not_one_address_is_refused_with_the_reason(typed: str, problem: AddressProblem) -> None:
    with pytest.raises(RequestError) as refused:
        read_address(typed)
    assert refused.value.problem is problem


@pytest.mark.parametrize("typed", [" ada@example.org ", "mailto:ada@example.org", "ada@example.org\n"])
def test_what_stands_around_one_address_does_not_matter(typed: str) -> None:
    assert read_address(typed) == "ada@example.org"


@given(name=st.text(max_size=400), topics=st.lists(st.text(max_size=20)), cadence=st.text(max_size=10))
def test_wishes_are_clean_and_those_that_the_list_has(name: str, topics: list[str], cadence: str) -> None:
    request = wishes("ada@example.org", LIST, name=name, topics=[*topics, "vision"], cadence=cadence)
    assert len(request.name) <= LONGEST_NAME
    assert not any(ord(sign) < 32 or sign in "\u202e\u2066\u200f" for sign in request.name)
    assert set(request.topics) <= set(LIST.topics)
    assert "vision" in request.topics
    assert request.cadence is (Cadence.WEEKLY if cadence == "weekly" else None)


def test_a_weekly_list_has_no_other_cadence() -> None:
    weekly = replace(LIST, cadence=Cadence.WEEKLY)
    assert wishes("ada@example.org", weekly, cadence="weekly").cadence is None


def test_a_sign_up_goes_from_the_first_mail_to_the_welcome() -> None:
    assert ASKED.next_mail is SignUpMail.CONFIRM
    assert not ASKED.may_be_confirmed
    assert begun(ASKED, NOW).may_be_confirmed
    assert (MAILED.state, MAILED.ready_at) == (SignUpState.MAILED, NOW + REMIND_AFTER)
    assert MAILED.next_mail is SignUpMail.REMINDER
    assert MAILED.until == NOW + VALID_FOR
    done = confirmed(MAILED, NOW + AN_HOUR, wants_latest=True, needs_approval=False)
    assert (done.next_mail, done.wants_latest, done.may_be_confirmed) == (SignUpMail.WELCOME, True, False)
    welcomed = sent(done, SignUpMail.WELCOME, NOW + AN_HOUR)
    assert (welcomed.state, welcomed.next_mail) == (SignUpState.WELCOMED, None)


def test_one_reminder_is_sent_and_no_second_one_though_they_ask_again() -> None:
    reminded = sent(MAILED, SignUpMail.REMINDER, NOW + REMIND_AFTER)
    assert reminded.next_mail is None
    assert reminded.until == MAILED.until
    later = NOW + REMIND_AFTER + AN_HOUR
    again = asked_again(reminded, REQUEST, later)
    assert again is not None
    assert again.next_mail is SignUpMail.CONFIRM
    assert sent(again, SignUpMail.CONFIRM, later).next_mail is None


def test_the_operator_decides_where_the_list_says_so() -> None:
    waiting = confirmed(MAILED, NOW, wants_latest=False, needs_approval=True)
    assert (waiting.state, waiting.next_mail) == (SignUpState.CONFIRMED, SignUpMail.APPROVAL)
    told = sent(waiting, SignUpMail.APPROVAL, NOW)
    assert (told.state, told.next_mail) == (SignUpState.CONFIRMED, None)
    assert decided(told, NOW, accepted=True).next_mail is SignUpMail.WELCOME
    assert decided(told, NOW, accepted=False).next_mail is None
    # Who asks again changes nothing about it.
    assert asked_again(told, replace(REQUEST, name="Eve"), NOW) == told
    declined = decided(told, NOW, accepted=False)
    assert asked_again(declined, REQUEST, NOW + AN_HOUR) == declined


def test_who_asks_again_gets_a_second_mail_only_after_a_while_and_the_first_link_works_on() -> None:
    newer = replace(REQUEST, name="Ada")
    soon = asked_again(MAILED, newer, NOW + ASK_AGAIN_AFTER / 2)
    assert soon is not None
    assert (soon.state, soon.request, soon.ready_at) == (SignUpState.MAILED, newer, MAILED.ready_at)
    later = asked_again(MAILED, newer, NOW + ASK_AGAIN_AFTER)
    assert later is not None
    assert (later.next_mail, later.key, later.may_be_confirmed) == (SignUpMail.CONFIRM, MAILED.key, True)


@pytest.mark.parametrize("known", [ASKED, MAILED])
def test_the_address_that_was_mailed_is_confirmed_and_no_other_spelling_of_it(known: SignUp) -> None:
    other = replace(REQUEST, email=REQUEST.email.upper(), name="Eve")
    assert other.address_key == REQUEST.address_key
    for now in (NOW, NOW + ASK_AGAIN_AFTER):
        again = asked_again(known, other, now)
        assert again is not None
        assert (again.request.email, again.request.name) == (REQUEST.email, "Eve")


def test_who_was_welcomed_begins_anew() -> None:
    done = confirmed(MAILED, NOW, wants_latest=False, needs_approval=False)
    assert asked_again(done, REQUEST, NOW) == done
    assert asked_again(sent(done, SignUpMail.WELCOME, NOW), REQUEST, NOW) is None


def test_a_mail_that_nobody_takes_is_tried_after_growing_pauses_and_then_given_up() -> None:
    one, now, pauses = ASKED, NOW, []
    while one.ready_at is not None:
        now = one.ready_at
        tried = not_sent(begun(one, now), now)
        assert tried is not None
        one = tried
        if one.ready_at is not None:
            pauses.append(one.ready_at - now)
    assert len(pauses) == 5
    again = asked_again(one, REQUEST, now + AN_HOUR)
    assert again is not None
    assert (again.next_mail, again.ready_at) == (SignUpMail.CONFIRM, now + AN_HOUR)
    assert all(later == 2 * earlier for earlier, later in itertools.pairwise(pauses))


def test_where_the_address_is_refused_a_sign_up_is_over_and_a_reader_stays_on_the_list() -> None:
    assert not_sent(begun(ASKED, NOW), NOW, for_good=True) is None
    joined = confirmed(MAILED, NOW, wants_latest=False, needs_approval=False)
    refused = not_sent(begun(joined, NOW), NOW, for_good=True)
    assert refused is not None
    assert (refused.state, refused.next_mail) == (SignUpState.ACCEPTED, None)


def test_a_client_is_known_again_by_a_mark_that_tells_nobody_which_it_is() -> None:
    assert client_mark("", "secret") == ""
    mark = client_mark("192.0.2.1", "secret")
    assert mark == client_mark("192.0.2.1", "secret")
    assert mark not in {client_mark("192.0.2.2", "secret"), client_mark("192.0.2.1", "other")}


def test_one_over_the_ceiling_of_its_address_is_forgotten_or_waits_for_its_first_link() -> None:
    assert not_asked(ASKED) is None
    again = asked_again(MAILED, REQUEST, NOW + AN_HOUR)
    assert again is not None
    waiting = not_asked(again)
    assert waiting is not None
    assert (waiting.state, waiting.next_mail, waiting.may_be_confirmed) == (SignUpState.MAILED, None, True)


def test_whoever_gets_the_list_or_must_get_no_mail_is_not_asked() -> None:
    assert may_be_asked(None, is_barred=False)
    assert may_be_asked(SubscriberStatus.UNSUBSCRIBED, is_barred=False)
    assert may_be_asked(SubscriberStatus.REMOVED, is_barred=False)
    assert not may_be_asked(SubscriberStatus.ACTIVE, is_barred=False)
    assert not may_be_asked(None, is_barred=True)


@given(
    ceiling=st.integers(1, 40),
    pauses=st.lists(st.integers(0, 900), min_size=1, max_size=200),
    wanted=st.integers(1, 20),
)
def test_no_hour_and_no_ten_minutes_bring_more_mails_than_the_ceiling_allows(
    ceiling: int, pauses: list[int], wanted: int
) -> None:
    now, mails = NOW, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        lately = MailsSent(sum(at > now - AN_HOUR for at in mails), sum(at > now - A_SPAN for at in mails))
        mails += [now] * min(wanted, room(ceiling, lately))
    for number, at in enumerate(mails):
        assert sum(one > at - AN_HOUR for one in mails[: number + 1]) <= ceiling
        assert sum(one > at - A_SPAN for one in mails[: number + 1]) <= -(-ceiling // 6)


@given(
    asked=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=60),
    hour=st.integers(1, 30),
    domain=st.integers(1, 30),
)
def test_each_ceiling_holds_and_clients_that_ask_for_few_come_first(
    asked: list[tuple[int, int, bool]], hour: int, domain: int
) -> None:
    waiting = [
        replace(
            MAILED if is_reminder else ASKED,
            key=key,
            client=f"client{client}",
            request=SignUpRequest(email=f"reader{key}@d{at}.example.org"),
        )
        for key, (client, at, is_reminder) in enumerate(asked)
    ]
    crowds = Counter(one.client for one in waiting)
    ceilings = Ceilings(per_domain=domain, per_hour=hour)
    chosen = next_to_mail(waiting, crowds, MailsSent(), {}, ceilings)
    assert len(chosen) <= room(hour, MailsSent())
    of_domain = Counter(one.request.domain for one in chosen)
    assert all(count <= room(domain, MailsSent()) for count in of_domain.values())
    turns = [(one.state is SignUpState.MAILED, crowds[one.client]) for one in chosen]
    assert turns == sorted(turns)
    if len(chosen) < room(hour, MailsSent()):  # then only the domains held others up
        left = [one for one in waiting if one not in chosen]
        assert all(of_domain[one.request.domain] == room(domain, MailsSent()) for one in left)


def test_signing_up_needs_pages_and_a_list_that_wants_it() -> None:
    assert accepts_sign_ups(SignUpRule.OPEN, has_pages=True)
    assert accepts_sign_ups(SignUpRule.APPROVAL, has_pages=True)
    assert not accepts_sign_ups(SignUpRule.CLOSED, has_pages=True)
    assert not accepts_sign_ups(SignUpRule.OPEN, has_pages=False)


@pytest.mark.parametrize(
    ("email", "name"),
    [("ada@gmail.com", "Gmail"), ("Ada@GMAIL.com", "Gmail"), ("ada@web.de", "WEB.DE"), ("ada@qq.com", "QQ Mail")],
)
def test_a_reader_is_led_to_the_mail_of_their_provider(email: str, name: str) -> None:
    webmail = webmail_of(email)
    assert webmail is not None
    assert webmail.name == name
    assert webmail.url.startswith("https://")


def test_an_unknown_domain_leads_nowhere() -> None:
    assert webmail_of("ada@lab.example.org") is None

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import DeliveryState, Doubt, Outcome
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.replies import Reply, Stage, step, verdict

RELAY = "relay.example.org:25"


def judge(stage: Stage, reply: Reply) -> Outcome | None:
    return verdict(reply, RELAY) if stage is Stage.MESSAGE else step(stage, reply, RELAY)


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (Stage.MAIL, Reply(250, "2.1.0 ok")),
        (Stage.RCPT, Reply(250, "2.1.5 ok")),
        (Stage.RCPT, Reply(251, "user not local; will forward")),
        (Stage.DATA, Reply(354, "go on")),
    ],
)
def test_a_good_reply_on_the_way_lets_the_transaction_go_on(stage: Stage, reply: Reply) -> None:
    assert judge(stage, reply) is None


def test_a_good_reply_to_the_message_means_sent() -> None:
    outcome = judge(Stage.MESSAGE, Reply(250, "2.0.0 queued as 4711"))

    assert outcome
    assert (outcome.state, outcome.code, outcome.text, outcome.relay) == (
        DeliveryState.SENT,
        250,
        "2.0.0 queued as 4711",
        RELAY,
    )


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.MESSAGE])
@pytest.mark.parametrize("reply", [Reply(450, "4.2.0 greylisted"), Reply(451, "later"), Reply(454, "throttled")])
def test_a_4xx_for_recipient_or_message_defers(stage: Stage, reply: Reply) -> None:
    outcome = judge(stage, reply)

    assert outcome
    assert outcome.state is DeliveryState.DEFERRED


@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 <a@example.org>: Recipient address rejected: User unknown",
        "5.1.2 no such domain",
        "5.1.10 domain has a null MX",
        "User unknown",
        "No such user here",
        "recipient address does not exist",
        "Unknown recipient",
        "Mailbox not found",
    ],
)
def test_a_550_about_an_unknown_mailbox_refuses_and_names_the_address_dead(text: str) -> None:
    outcome = judge(Stage.RCPT, Reply(550, text))

    assert outcome
    assert outcome.state is DeliveryState.REFUSED
    assert outcome.dead_address


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (Stage.RCPT, Reply(552, "5.2.2 mailbox full")),
        (Stage.RCPT, Reply(550, "5.2.1 mailbox disabled")),
        (Stage.RCPT, Reply(550, "5.4.1 Recipient address rejected: Access denied")),
        (Stage.RCPT, Reply(550, "Requested action not taken: mailbox unavailable")),
        (Stage.RCPT, Reply(553, "mailbox name not allowed")),
        (Stage.RCPT, Reply(501, "bad address syntax")),
        (Stage.MESSAGE, Reply(552, "5.2.2 over quota")),
    ],
)
def test_another_5xx_about_the_mailbox_refuses_and_leaves_the_address_alone(stage: Stage, reply: Reply) -> None:
    outcome = judge(stage, reply)

    assert outcome
    assert outcome.state is DeliveryState.REFUSED
    assert not outcome.dead_address


def test_a_message_refused_for_an_unknown_mailbox_names_the_address_dead() -> None:
    outcome = judge(Stage.MESSAGE, Reply(550, "5.1.1 no such user"))

    assert outcome
    assert outcome.dead_address


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        *((stage, Reply(421, "4.7.0 closing")) for stage in Stage),
        (Stage.MAIL, Reply(451, "4.3.0 later")),
        (Stage.MAIL, Reply(550, "5.1.8 sender's domain unknown")),
        (Stage.RCPT, Reply(530, "authentication required")),
        (Stage.RCPT, Reply(503, "5.5.1 nested MAIL command")),
        (Stage.RCPT, Reply(500, "what?")),
        (Stage.RCPT, Reply(550, "5.7.8 authentication credentials invalid")),
        (Stage.RCPT, Reply(550, "5.5.1 invalid command")),
        (Stage.DATA, Reply(501, "no arguments")),
        (Stage.MESSAGE, Reply(503, "bad sequence")),
        (Stage.DATA, Reply(554, "5.5.1 no valid recipients")),
        (Stage.DATA, Reply(250, "ok, but not the answer to DATA")),
        (Stage.MESSAGE, Reply(354, "go on")),
        (Stage.MAIL, Reply(-1, "garbage")),
    ],
)
def test_what_speaks_of_us_or_of_the_relay_is_no_outcome_of_the_readers(stage: Stage, reply: Reply) -> None:
    with pytest.raises(RelayError, match=RELAY):
        judge(stage, reply)


def test_an_unknown_user_is_dead_even_where_the_text_speaks_of_relays() -> None:
    outcome = judge(Stage.RCPT, Reply(550, "unknown user, not relaying"))

    assert outcome
    assert outcome.dead_address


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (Stage.RCPT, Reply(550, "5.7.13 user account disabled")),
        (Stage.RCPT, Reply(550, "5.7.17 the mailbox has a new owner")),
        (Stage.RCPT, Reply(550, "5.7.18 the domain has a new owner")),
        (Stage.RCPT, Reply(550, "5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized")),
        (Stage.RCPT, Reply(550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup")),
        (Stage.MESSAGE, Reply(550, "5.7.134 sender not authenticated for mailbox")),
        (Stage.RCPT, Reply(550, "5.7.2 mailing list expansion prohibited")),
    ],
)
def test_a_policy_of_one_mailbox_is_beyond_doubt_the_readers_and_the_address_not_dead(
    stage: Stage, reply: Reply
) -> None:
    outcome = judge(stage, reply)

    assert outcome
    assert (outcome.state, outcome.doubt, outcome.dead_address) == (DeliveryState.REFUSED, Doubt.NONE, False)


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (Stage.RCPT, Reply(550, "5.7.1 this address is suppressed")),
        (Stage.RCPT, Reply(550, "5.7.1 blocked by policy")),
        (Stage.RCPT, Reply(550, "5.7.0 we may not send to limit.too.many@spf.example.org")),
        (Stage.RCPT, Reply(550, "<rate@relay.example.org>: Recipient address rejected: Access denied")),
        (Stage.RCPT, Reply(554, "refused")),
        (Stage.RCPT, Reply(550, "we have you on our blocklist")),
        (Stage.RCPT, Reply(550, "5.4.1 Recipient address rejected: Access denied")),
        (Stage.DATA, Reply(554, "5.7.1 stop list")),
        (Stage.MESSAGE, Reply(554, "5.7.1 looks like spam")),
        (Stage.MESSAGE, Reply(554, "transaction failed")),
        (Stage.MESSAGE, Reply(550, "5.6.0 odd content")),
    ],
)
def test_a_refusal_that_may_be_the_readers_or_ours_is_in_doubt(stage: Stage, reply: Reply) -> None:
    outcome = judge(stage, reply)

    assert outcome
    assert (outcome.state, outcome.doubt, outcome.dead_address) == (DeliveryState.REFUSED, Doubt.SOME, False)


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (Stage.RCPT, Reply(550, "5.7.26 unauthenticated mail")),
        (Stage.RCPT, Reply(550, "5.7.606 access denied, banned sending IP")),
        (Stage.RCPT, Reply(550, "5.1.7 bad sender address")),
        (Stage.RCPT, Reply(550, "5.4.5 daily sending quota exceeded")),
        (Stage.RCPT, Reply(554, "Relay access denied")),
        (Stage.RCPT, Reply(550, "5.7.1 client host [192.0.2.7] blocked")),
        (Stage.RCPT, Reply(550, "too many messages this hour")),
        (Stage.MESSAGE, Reply(554, "5.7.1 DMARC check failed")),
    ],
)
def test_a_refusal_in_doubt_whose_words_are_about_us_is_rather_ours(stage: Stage, reply: Reply) -> None:
    outcome = judge(stage, reply)

    assert outcome
    assert (outcome.state, outcome.doubt, outcome.dead_address) == (DeliveryState.REFUSED, Doubt.OURS, False)


def test_the_readers_own_address_is_no_word_of_the_relay() -> None:
    outcome = judge(Stage.RCPT, Reply(550, "<no.such.user@example.org>: not today"))

    assert outcome
    assert not outcome.dead_address


@given(st.sampled_from(Stage), st.integers(min_value=-1, max_value=999), st.text())
def test_any_reply_is_either_judged_or_trouble_and_its_text_is_one_short_line(
    stage: Stage, code: int, text: str
) -> None:
    try:
        outcome = judge(stage, Reply(code, text))
    except RelayError as error:
        said = str(error)
    else:
        said = outcome.text if outcome else ""
        if outcome and outcome.state is DeliveryState.SENT:
            assert stage is Stage.MESSAGE
            assert 200 <= code <= 299

    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", False),
        ("5.5.0 no such user here", True),
        ("5.0.0 user unknown", True),
    ],
)
def test_a_code_that_means_other_leaves_it_to_the_words(text: str, dead: bool) -> None:
    outcome = step(Stage.RCPT, Reply(550, text), "mx")
    assert outcome is not None
    assert (outcome.state, outcome.doubt) == (DeliveryState.REFUSED, Doubt.NONE)
    assert outcome.dead_address is dead

"""Letters go out over a real relay, as the templates say."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RenderError
from newsletter.core.newsletter_list import Masthead
from newsletter.delivery.mailer import RelayMailer
from newsletter.ports import LetterKind
from newsletter.readers.letters import TemplateLetters
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint import lint
from tests import factories
from tests.delivery.services import relay_to
from tests.render import mails as make
from tests.render.conftest import TEMPLATES
from tests.smtp_server import SmtpServer

MASTHEAD = factories.masthead()
ADA = ("Ada Lovelace", "ada@example.org")
ONE_CLICK = "https://papers.example.org/-/unsubscribe/MQ.x3Jt8q"


async def sent(
    kind: LetterKind, masthead: Masthead = MASTHEAD, *, to: tuple[str, str] = ADA, way_out: str = ""
) -> tuple[str, EmailMessage]:
    """Return the envelope sender and the mail that a relay got."""
    values = {name: value for name, value in make.single_mails()[kind].items() if name != "masthead"}
    async with SmtpServer() as server:
        letters = TemplateLetters(TemplateRenderer(None, TEMPLATES), RelayMailer([relay_to(server)]), None)
        outcome = await letters.send(
            kind, masthead, to, values, about="signup 12", now=make.MOMENT, way_out=way_out
        )
        assert outcome.state is DeliveryState.SENT
        (one,) = server.received
        assert not [found for found in lint(one.content) if "List-Unsubscribe" not in found.where]
        return one.sender, message_from_bytes(one.content, policy=default)


async def test_a_letter_comes_from_the_list_to_one_person() -> None:
    sender, mail = await sent(LetterKind.CONFIRM)
    assert (sender, mail["From"]) == ("papers@example.org", "Daily Papers <papers@example.org>")
    assert (mail["To"], mail["Subject"]) == (
        "Ada Lovelace <ada@example.org>",
        "Confirm your subscription to Daily Papers",
    )
    assert mail["List-Unsubscribe"] is None
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_letter_to_a_reader_offers_one_click() -> None:
    _, mail = await sent(LetterKind.WELCOME, way_out=ONE_CLICK)
    assert mail["List-Unsubscribe"] == f"<{ONE_CLICK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_where_there_are_no_pages_a_letter_offers_leaving_by_mail() -> None:
    way_out = "mailto:papers@example.org?subject=unsubscribe%20x"
    _, mail = await sent(LetterKind.WELCOME, way_out=way_out)
    assert mail["List-Unsubscribe"] == f"<{way_out}>"
    assert mail["List-Unsubscribe-Post"] is None


async def test_a_letter_speaks_the_language_of_the_list() -> None:
    _, mail = await sent(LetterKind.CONFIRM, replace(MASTHEAD, language="de"))
    assert mail["Subject"] == "Bitte bestätigen Sie Ihr Abonnement: Daily Papers"


async def test_answers_and_what_comes_back_go_where_the_list_says() -> None:
    masthead = replace(MASTHEAD, reply_to="people@example.org", bounces_to="back@example.org")
    sender, mail = await sent(LetterKind.GOODBYE, masthead)
    assert (sender, mail["Reply-To"]) == ("back@example.org", "people@example.org")


async def test_the_same_letter_has_one_message_id() -> None:
    (_, first), (_, again), (_, other) = (
        await sent(LetterKind.CONFIRM),
        await sent(LetterKind.CONFIRM),
        await sent(LetterKind.WELCOME),
    )
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]


async def test_no_name_or_address_adds_a_field() -> None:
    _, mail = await sent(LetterKind.CONFIRM, to=("Eve\r\nBcc: all@example.org", "eve@example.org"))
    assert mail["Bcc"] is None
    with pytest.raises(RenderError):
        await sent(LetterKind.CONFIRM, to=("Eve", "eve@example.org\r\nBcc: all@example.org"))

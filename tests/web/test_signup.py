"""Signing up on the web: what visitors see, what is mailed, and who is on the list in the end."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.newsletter_list import Cadence
from newsletter.core.signup import Ceilings
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Funnel
from tests.web.signup_desk import API, SIGN_UP, Desk, link, open_desk
from tests.web.site import DAY, LINKS, NOW, READER

ADA = "ada@example.org"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def status_of(desk: Desk, email: str = ADA) -> SubscriberStatus | None:
    found = await desk.store.subscribers.of_address("daily", email)
    return found.status if found else None


async def test_somebody_signs_up_confirms_and_is_welcome(desk: Desk) -> None:
    form = await desk.client.get(SIGN_UP)
    assert form.status_code == 200
    assert "Get trending papers in your email inbox once a day!" in form.text
    asked = await desk.ask(name="Ada", topic="agents", cadence="daily")
    assert asked.status_code == 200
    assert "Check your inbox" in asked.text
    assert desk.woken == 1
    assert await status_of(desk) is None
    [mail] = await desk.sent()
    assert (mail["To"], mail["Subject"]) == (f"Ada <{ADA}>", "Confirm your subscription to Daily Papers")
    assert mail["List-Unsubscribe"] is None
    page = await desk.client.get(link(mail))
    assert "One press and you are in" in page.text
    assert "every weekday at 08:00 (London time)" in page.text
    assert await status_of(desk) is None
    done = await desk.client.post(link(mail))
    assert "You are in" in done.text
    assert "Friday, 13 March 2026, at 08:00 (London time)" in done.text
    reader = await desk.store.subscribers.of_address("daily", ADA)
    assert reader is not None
    assert (reader.name, reader.topics, reader.origin) == ("Ada", ("agents",), Origin.WEB)
    [welcome] = await desk.sent()
    assert welcome["Subject"] == "Welcome to Daily Papers"
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert await desk.later(days=3) == []
    assert await desk.store.signups.funnels(since=DAY) == {"daily": Funnel(asked=1, mailed=1, confirmed=1)}


async def test_signing_up_is_closed_for_now_while_the_file_of_the_list_has_mistakes(desk: Desk) -> None:
    await desk.ask()
    [mail] = await desk.sent()
    file = desk.lists / "daily.toml"
    right = file.read_text()
    file.write_text(f'{right}\nsecret = "mistaken key"')
    form, asked = await desk.client.get(SIGN_UP), await desk.ask("bob@example.org")
    opened, pressed = await desk.client.get(link(mail)), await desk.client.post(link(mail))
    for page in (form, asked, opened, pressed):
        assert (page.status_code, "Signing up is closed for now" in page.text) == (503, True)
        assert "secret" not in page.text
        assert "daily.toml" not in page.text
    assert "Read the newest issue" in form.text
    answer = await desk.client.post(API, json={"list": "daily", "email": ADA})
    assert (answer.status_code, answer.json()) == (503, {"error": "list: signing up is closed for now"})
    assert await desk.sent() == []
    assert (await desk.client.get("/-/signup/nowhere")).status_code == 404
    (desk.lists / "No list.toml").write_text("x")
    assert (await desk.client.get("/-/signup/No%20list")).status_code == 404
    file.write_text(right)
    assert "You are in" in (await desk.client.post(link(mail))).text


async def test_no_get_and_no_head_changes_anything(desk: Desk) -> None:
    await desk.ask()
    [mail] = await desk.sent()
    for method in ("GET", "HEAD", "OPTIONS") * 3:
        for path in (SIGN_UP, link(mail), API, "/"):
            await desk.client.request(method, path)
    assert await status_of(desk) is None
    assert "You are in" in (await desk.client.post(link(mail))).text


async def test_a_link_works_once_and_all_that_do_not_work_are_answered_alike(desk: Desk) -> None:
    await desk.ask()
    [mail] = await desk.sent()
    path = link(mail)
    await desk.client.post(path)
    await desk.store.subscribers.suppress(
        ADA, list_name="daily", reason="unsubscribed", now=NOW, by=SuppressedBy.READER
    )
    altered = path[:-1] + ("A" if path[-1] != "A" else "B")
    other = LINKS.decide(1, desk.now.replace(year=2030)).removeprefix(LINKS.public_url)
    token = path.rpartition("/")[2]
    paths = [path, altered, path[:-5], other, f"/-/confirm/{other.rpartition('/')[2]}", f"/-/decide/{token}"]
    for method in ("GET", "POST"):
        answers = {(one.status_code, one.text) for one in [await desk.client.request(method, to) for to in paths]}
        assert len(answers) == 1
        assert "This link does not work any more" in answers.pop()[1]
    assert await status_of(desk) is SubscriberStatus.UNSUBSCRIBED


async def test_a_link_ends_after_seven_days_and_the_address_is_forgotten(desk: Desk) -> None:
    await desk.ask()
    [mail] = await desk.sent()
    [reminder] = await desk.later(days=1)
    assert reminder["Subject"] == "Still waiting: confirm your subscription to Daily Papers"
    assert await desk.later(days=5) == []
    assert (await desk.client.get(link(reminder))).status_code == 200
    assert await desk.later(days=1) == []
    assert (await desk.client.post(link(mail))).status_code == 404
    assert await status_of(desk) is None


async def test_the_answer_is_the_same_whoever_it_is(desk: Desk) -> None:
    await desk.store.subscribers.suppress("barred@example.org", list_name=None, reason="asked us", now=NOW)
    await desk.ask("waiting@example.org")
    await desk.sent()
    addresses = ["new@example.org", "waiting@example.org", "barred@example.org", READER.email]
    pages = [await desk.ask(email) for email in addresses]
    shown = {re.sub(r"[\w']+@example\.org", "…", unescape(page.text)) for page in pages}
    assert len(shown) == 1
    answers = [await desk.client.post(API, json={"list": "daily", "email": email}) for email in addresses]
    assert {(one.status_code, one.text) for one in answers} == {(202, answers[0].text)}
    # Who gets it already, or must get no mail, is sent none; who waits has a mail on the way.
    assert [mail["To"] for mail in await desk.sent()] == ["new@example.org"]


async def test_who_left_may_come_back_by_confirming_with_the_wishes_of_now(desk: Desk) -> None:
    await desk.confirm()
    await desk.sent()
    await desk.store.subscribers.suppress(
        ADA, list_name="daily", reason="unsubscribed", now=desk.now, by=SuppressedBy.READER
    )
    await desk.ask(cadence="weekly")
    [mail] = await desk.sent()
    assert await status_of(desk) is SubscriberStatus.UNSUBSCRIBED
    await desk.client.post(link(mail))
    reader = await desk.store.subscribers.of_address("daily", ADA)
    assert reader is not None
    assert (reader.status, reader.cadence) == (SubscriberStatus.ACTIVE, Cadence.WEEKLY)
    assert [mail["Subject"] for mail in await desk.sent()] == ["Welcome to Daily Papers"]


async def test_whom_the_operator_barred_since_is_told_so(desk: Desk) -> None:
    await desk.ask()
    [mail] = await desk.sent()
    await desk.store.subscribers.suppress(ADA, list_name=None, reason="asked us by phone", now=NOW)
    page = await desk.client.post(link(mail))
    assert "This address gets no mail" in page.text
    assert await desk.sent() == []


async def test_the_newest_issue_comes_at_once_where_the_reader_wants_it(desk: Desk) -> None:
    page = await desk.confirm(latest="yes")
    assert "The newest issue is on its way to you." in page.text
    await desk.sent()
    queued = await desk.store.outbox.records(list_name="daily", states=[DeliveryState.QUEUED])
    assert {(one.email, one.due_at) for one in queued} == {(ADA, desk.now), (READER.email, NOW)}
    summary = (await desk.store.issues.history("daily"))[0]
    assert sum(summary.deliveries.values()) == 2


async def test_the_operator_decides_on_each_reader_where_the_list_says_so(desk: Desk) -> None:
    desk.rule("approval")
    welcomed: list[str] = []
    for email, decision in ((ADA, "accept"), ("eve@example.org", "decline")):
        page = await desk.confirm(email)
        assert "decides on each new reader" in page.text
        [mail] = await desk.sent()
        assert (mail["To"], mail["Subject"]) == (
            "people@example.org",
            "Daily Papers: a new reader to accept or decline",
        )
        assert email in (await desk.client.get(link(mail))).text
        assert (await desk.client.post(link(mail), data={"decision": "?"})).status_code == 422
        assert await status_of(desk, email) is None
        assert (await desk.client.post(link(mail), data={"decision": decision})).status_code == 200
        assert (await desk.client.post(link(mail), data={"decision": "accept"})).status_code == 404
        welcomed += [mail["To"] for mail in await desk.sent()]
    assert await status_of(desk) is SubscriberStatus.ACTIVE
    assert await status_of(desk, "eve@example.org") is None
    assert welcomed == [ADA]
    assert await desk.later(days=3) == []


async def test_a_closed_list_says_so_and_takes_nobody(desk: Desk) -> None:
    desk.rule("closed")
    assert "takes no new readers here" in (await desk.client.get(SIGN_UP)).text
    assert (await desk.ask()).status_code == 403
    assert (await desk.client.post(API, json={"list": "daily", "email": ADA})).status_code == 403
    assert await desk.sent() == []


async def test_who_asked_before_a_list_was_closed_gets_no_mail_and_one_with_a_mistake_in_its_file_waits(
    desk: Desk,
) -> None:
    await desk.ask()
    right = (desk.lists / "daily.toml").read_text()
    (desk.lists / "daily.toml").write_text(right + "mistake = 1")
    assert await desk.sent() == []
    desk.rule("open")
    assert len(await desk.later(minutes=15)) == 1
    await desk.ask("eve@example.org")
    desk.rule("closed")
    assert await desk.sent() == []
    desk.rule("open")
    assert await desk.later(days=1, minutes=-20) == []


async def test_a_list_that_was_closed_meanwhile_takes_no_confirmation(desk: Desk) -> None:
    await desk.ask()
    [mail] = await desk.sent()
    desk.rule("closed")
    assert (await desk.client.post(link(mail))).status_code == 404


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("", "Please enter your address."),
        ("ada", "No mail can go to this address."),
        ("ada@localhost", "No mail can go to this address."),
        ("ada@example.org, eve@example.org", "Please enter one address alone."),
    ],
)
async def test_a_mistake_in_the_address_is_named_and_what_was_typed_is_kept(
    desk: Desk, email: str, words: str
) -> None:
    answer = await desk.ask(email, name='<b>"Ada"', topic="vision", cadence="weekly")
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="&lt;b&gt;&#34;Ada&#34;"' in answer.text
    assert re.search(r'value="vision" checked', answer.text)
    assert re.search(r'value="weekly" checked', answer.text)
    assert desk.woken == 0


async def test_two_fields_of_addresses_are_not_one(desk: Desk) -> None:
    answer = await desk.client.post(SIGN_UP, data={"email": [ADA, "eve@example.org"]})
    assert answer.status_code == 422


async def test_what_a_program_fills_in_that_no_person_sees_is_thrown_away(desk: Desk) -> None:
    assert "Check your inbox" in (await desk.ask(website="https://spam.example")).text
    assert await desk.sent() == []


async def test_what_is_no_sign_up_is_refused(desk: Desk) -> None:
    as_json, form = {"Content-Type": "application/json"}, {"email": ADA}
    asked: list[tuple[int, str, dict[str, Any]]] = [
        (415, SIGN_UP, {"json": form}),
        (415, SIGN_UP, {"files": {"email": ADA.encode()}}),
        (413, SIGN_UP, {"data": {**form, "name": "x" * 20_000}}),
        (404, "/-/signup/other", {"data": form}),
        (415, API, {"data": form}),
        (400, API, {"content": "{", "headers": as_json}),
        (400, API, {"content": "[" * 9999, "headers": as_json}),
        (413, API, {"json": {"list": "daily", **form, "name": "x" * 20_000}}),
        (422, API, {"json": {"list": "daily", "email": [ADA]}}),
        (422, API, {"json": {"list": "daily", "email": "ada"}}),
        (422, API, {"json": {"list": "daily", **form, "cadence": "hourly"}}),
        (422, API, {"json": {"list": "daily", **form, "admin": True}}),
        (404, API, {"json": {"list": "other", **form}}),
    ]
    for number, (status, path, what) in enumerate(asked):
        headers = {"X-Forwarded-For": f"8.8.8.{number}", **what.pop("headers", {})}
        answer = await desk.client.post(path, headers=headers, **what)
        assert (status, path, answer.status_code) == (status, path, status)
    assert (await desk.client.get(API)).status_code == 405
    assert desk.woken == 0


async def test_a_program_signs_somebody_up_from_any_site(desk: Desk) -> None:
    origin = {"Origin": "https://lab.example.com"}
    allowed = await desk.client.options(API, headers={**origin, "Access-Control-Request-Method": "POST"})
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "content-type" in allowed.headers["access-control-allow-headers"].lower()
    wanted = {"list": "daily", "email": ADA, "name": "Ada", "topics": ["vision", "none"], "cadence": "weekly"}
    answer = await desk.client.post(API, json=wanted, headers=origin)
    assert (answer.status_code, json.loads(answer.text)["status"]) == (202, "asked")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    [mail] = await desk.sent()
    await desk.client.post(link(mail))
    reader = await desk.store.subscribers.of_address("daily", ADA)
    assert reader is not None
    assert (reader.name, reader.topics, reader.cadence) == ("Ada", ("vision",), Cadence.WEEKLY)


async def test_the_form_on_other_sites_is_the_one_that_the_page_offers(desk: Desk) -> None:
    page = (await desk.client.get(SIGN_UP)).text
    snippet = unescape(page.partition("<pre")[2].partition(">")[2].partition("</pre>")[0])
    assert f'action="{LINKS.sign_up("daily")}" method="post"' in snippet
    [name] = re.findall(r'<input type="email" name="(\w+)"', snippet)
    answer = await desk.client.post(SIGN_UP, data={name: ADA}, headers={"Origin": "https://lab.example.com"})
    assert "Check your inbox" in answer.text
    assert len(await desk.sent()) == 1


async def test_each_network_may_ask_so_often_in_an_hour_whatever_it_says_of_itself(desk: Desk) -> None:
    for number in range(10):
        assert (await desk.ask(f"a{number}@example.org", network="8.8.4.4")).status_code == 200
    many = await desk.ask("b@example.org", network="8.8.4.4")
    assert many.status_code == 429
    assert "Too many people signed up from your network" in many.text
    assert (await desk.ask("b@example.org", network="1.1.1.1, 8.8.4.4")).status_code == 429
    assert (await desk.ask("b@example.org", network="8.8.4.5")).status_code == 200
    six = [f"2606:4700::{number:x}" for number in range(12)]
    answers = [
        (await desk.ask(f"c{at}@example.org", network=network)).status_code for at, network in enumerate(six)
    ]
    assert answers == [200] * 10 + [429] * 2


async def test_who_has_gmail_is_led_there(desk: Desk) -> None:
    answer = await desk.ask("ada@gmail.com")
    assert 'href="https://mail.google.com/mail/"' in answer.text
    assert "Open Gmail" in answer.text


async def test_nobody_adds_a_field_to_a_mail_or_turns_a_name_around(desk: Desk) -> None:
    await desk.ask(name="Ada\r\nBcc: eve@example.org\u202e")
    [mail] = await desk.sent()
    assert mail["Bcc"] is None
    assert mail["To"] == f'"Ada Bcc: eve@example.org" <{ADA}>'


async def test_the_lists_stand_on_the_front_page_and_their_pages_have_a_form(desk: Desk) -> None:
    home = (await desk.client.get("/")).text
    assert 'href="./-/signup/daily"' in home
    issue = (await desk.client.get(f"/daily/{DAY}/")).text
    assert 'method="post" action="../../-/signup/daily">' in issue
    desk.rule("closed")
    assert "signup" not in (await desk.client.get("/")).text
    assert "<form class=" not in (await desk.client.get(f"/daily/{DAY}/")).text


async def test_a_refused_address_is_forgotten_and_a_relay_in_trouble_is_tried_again(desk: Desk) -> None:
    desk.server.answer("RCPT", "550 5.1.1 no such user", address="gone@example.org")
    desk.server.answer("RCPT", "451 4.3.0 later", address=ADA, times=1)
    await desk.ask("gone@example.org")
    await desk.ask()
    assert await desk.sent() == []
    assert await desk.later(minutes=5) == []
    assert [mail["To"] for mail in await desk.later(minutes=15)] == [ADA]
    assert await desk.later(days=1, minutes=-1) == []


async def test_the_operator_hears_of_new_readers_who_wants_to(tmp_path: Path) -> None:
    async with open_desk(tmp_path, tells_operator=True) as desk:
        await desk.confirm()
        assert [mail["To"] for mail in await desk.sent()] == ["people@example.org", ADA]


async def test_ten_thousand_sign_ups_by_programs_cause_few_mails_and_readers_get_in(tmp_path: Path) -> None:
    ceilings = Ceilings(per_hour=60, per_domain=60)
    async with open_desk(tmp_path, ceilings=ceilings, per_client=2) as desk:
        for turn in range(20):
            asked = (
                desk.ask_as_program(f"bot{turn}.{bot}@d{bot % 7}.example.org", f"9.{bot // 250}.{bot % 250}.1")
                for bot in range(500)
            )
            assert set(await asyncio.gather(*asked)) == {202 if turn < 2 else 429}
        assert len(await desk.sent()) == 10  # a sixth of what an hour allows
        readers = [f"reader{number}@lab{number}.example.org" for number in range(5)]
        for number, email in enumerate(readers):
            await desk.ask(email, network=f"8.8.{number}.8")
        mails = await desk.later(minutes=10)
        assert [mail["To"] for mail in mails[:5]] == readers
        assert len(mails) == 10
        for mail in mails[:5]:
            assert "You are in" in (await desk.client.post(link(mail))).text
        hour = [mail for _ in range(4) for mail in await desk.later(minutes=10)]
        assert len([mail for mail in hour if mail["Subject"].startswith("Confirm")]) == 40

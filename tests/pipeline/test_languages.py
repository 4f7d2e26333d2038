"""Each reader's mail is in the reader's language: rendered once a language, and frozen with the issue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from newsletter.core.newsletter_list import Cadence, QuietDays
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.delivery.smtp.session import is_plain
from newsletter.pipeline.check import IssueCheck
from newsletter.pipeline.deliver import ClosedIssues
from newsletter.ports import Store
from tests.backtest.recorded import MONDAY
from tests.editions.desk import Desk
from tests.pipeline.test_closed import DAY, LIST, READERS, Office, Renderings, office, read, studio_of, text
from tests.store.samples import instead, join, key_of

__all__ = ["office"]

GREETING = "6 von 8 neuen Artikeln."

GERMAN = Subscriber(list="daily", email="de@example.org", name="Änne", topics=("agents",), language="de")
JAPANESE = Subscriber(list="daily", email="ja@example.org", language="ja")
SWISS = Subscriber(list="daily", email="ch@example.org", language="de")


async def with_readers(office: Office, *readers: Subscriber) -> None:
    async with office.store() as store:
        await join(store, *readers, now=office.now)


async def languages(office: Office, key: int) -> tuple[str, ...]:
    async with office.store() as store:
        return await store.issues.languages(key)


async def test_each_reader_has_the_mail_in_their_own_language(office: Office) -> None:
    await with_readers(office, GERMAN, JAPANESE)
    key = await office.close_issue()
    mails = await office.mails(key)

    german, japanese, english = (mails[f"{name}@example.org"] for name in ("de", "ja", "all"))
    assert "2 Artikel für Sie, ausgewählt aus 4 neuen." in text(german)
    page = read(german).get_body(("html",))
    assert page
    assert '<html lang="de"' in str(page.get_content())
    assert "本" in text(japanese)
    assert "4 new papers." in text(english)
    assert [str(read(mail)["Subject"]) for mail in (german, english)] == ["Agents that plan"] * 2
    assert await languages(office, key) == ("de", "ja")


async def test_a_subject_with_words_and_dates_is_in_the_readers_language_too(office: Office) -> None:
    office.list_ = replace(LIST, subjects={Cadence.DAILY: "{date}: {lead}"})
    await with_readers(office, GERMAN)
    mails = await office.mails(await office.close_issue())
    assert read(mails["de@example.org"])["Subject"] == "12. März: Agents that plan"
    assert read(mails["agents@example.org"])["Subject"] == "12 Mar: Agents that plan"


async def test_readers_without_a_language_get_the_same_bytes_whoever_else_reads(
    office: Office, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    alone = Office(other)
    # Readers are numbered as they come, and deliveries by address.
    last = [replace(one, email=f"z-{one.email}") for one in (GERMAN, JAPANESE)]
    await with_readers(office, *READERS, *last)
    await with_readers(alone, *READERS)
    many, few = [await one.mails(await one.close_issue()) for one in (office, alone)]
    assert {email: many[email] for email in few} == few


async def test_every_message_of_an_issue_is_as_plain_as_the_first(office: Office) -> None:
    await with_readers(office, GERMAN, JAPANESE)
    mails = await office.mails(await office.close_issue())
    assert {is_plain(mail) for mail in mails.values()} == {True}


async def test_a_language_is_rendered_once_and_only_if_a_reader_of_the_edition_wants_it(office: Office) -> None:
    renderer = Renderings(office)
    office.renderer = lambda: renderer  # type: ignore[method-assign]
    await with_readers(
        office,
        GERMAN,
        SWISS,
        replace(JAPANESE, cadence=Cadence.WEEKLY),
        replace(JAPANESE, email="gone@example.org", status=SubscriberStatus.UNSUBSCRIBED),
    )
    key = await office.close_issue()
    assert await languages(office, key) == ("de",)
    assert len(renderer.rendered_in) == 2


@pytest.mark.parametrize(
    ("of_list", "of_reader", "expected"),
    [
        ("de-AT", "de", "2 Artikel für Sie, ausgewählt aus 4 neuen."),
        ("en", "it", "2 papers for you, of 4 new papers."),
    ],
)
async def test_the_lists_own_mail_is_for_who_wants_its_words_or_words_that_there_are_not(
    office: Office, of_list: str, of_reader: str, expected: str
) -> None:
    office.list_ = replace(LIST, masthead=replace(LIST.masthead, language=of_list))
    await with_readers(office, replace(GERMAN, language=of_reader))
    key = await office.close_issue()
    assert await languages(office, key) == ()
    mails = await office.mails(key)
    assert expected in text(mails["de@example.org"])


async def test_a_closed_issue_keeps_the_language_that_its_reader_had(office: Office) -> None:
    await with_readers(office, GERMAN)
    key = await office.close_issue()
    before = await office.mails(key)
    async with office.store() as store:
        for email, language in (("de@example.org", None), ("all@example.org", "de")):
            number = await key_of(store, "daily", email)
            reader = await store.subscribers.by_key(number)
            assert reader
            kept = instead(reader.wishes._replace(language=language))
            assert await store.subscribers.change_wishes(number, kept, now=office.now)
    assert await office.mails(key) == before


async def test_an_issue_whose_rendering_was_not_stored_is_in_the_lists_language(office: Office) -> None:
    await with_readers(office, GERMAN)
    key = await office.close_issue()
    async with office.store() as store, store.issues._database.write() as connection:  # type: ignore[attr-defined]
        await connection.exec_driver_sql("DELETE FROM renderings")
    async with office.store() as store:
        mails = await office.mails(key, closed=ClosedIssues(store.issues, office.renderer()))
    assert "2 papers for you, of 4 new papers." in text(mails["de@example.org"])


async def test_a_day_without_news_is_said_in_the_readers_language(office: Office) -> None:
    office.list_ = replace(LIST, quiet_days=QuietDays.SHORT)
    await with_readers(office, GERMAN)
    await office.close_issue()
    office.now = office.now.replace(day=DAY.day + 1)
    key = await office.close_issue(DAY.replace(day=DAY.day + 1), ())
    mails = await office.mails(key)
    subjects = {email: str(read(mail)["Subject"]) for email, mail in mails.items()}
    assert subjects["de@example.org"] == "Heute keine neuen Artikel"
    assert subjects["all@example.org"] == "No new papers today"


async def test_what_is_looked_at_is_in_its_readers_language(tmp_path: Path, store: Store) -> None:
    desk = Desk(tmp_path, store)
    desk.subscribe("all")
    desk.subscribe("german", language="de")
    studio = studio_of(desk)
    draft = await studio.issue("daily", MONDAY)
    assert not draft.key
    assert GREETING in text(await studio.raw(draft, "german@example.org"))

    await desk.run(MONDAY)
    issue = await studio.issue("daily", MONDAY)
    german = [await studio.raw(issue, "german@example.org"), await studio.raw(issue, None, language="de")]
    english = [await studio.raw(issue, "all@example.org"), await studio.raw(issue, None)]
    assert await studio.languages(issue) == ("de",)
    assert [GREETING in text(mail) for mail in (*german, *english)] == [True, True, False, False]


async def test_what_could_be_better_in_an_issues_mails_is_logged_once_for_all_languages(office: Office) -> None:
    office.check = IssueCheck(is_local=False)
    office.list_ = replace(LIST, masthead=replace(LIST.masthead, postal_address=""))
    await with_readers(office, GERMAN, JAPANESE)
    with structlog.testing.capture_logs() as logged:
        await office.close_issue()
    assert [line["rule"] for line in logged if line["event"] == "lint"] == ["postal-address"]

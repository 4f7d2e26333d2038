"""A closed issue is delivered by its key alone, and always as the same bytes."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from newsletter.bootstrap import packaged_templates
from newsletter.core.calendar import slot_on
from newsletter.core.errors import NothingNewError, UsageError
from newsletter.core.issue import Issue
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import Cadence, Hours, NewsletterList
from newsletter.core.rendering import Rendering
from newsletter.core.subscriber import Origin, Subscriber
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic, TopicsMode
from newsletter.delivery.inline import Inline
from newsletter.delivery.mailer import RelayMailer
from newsletter.pipeline.deliver import ClosedIssues, Delivering
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.publish import publish
from newsletter.pipeline.run import AS_USUAL
from newsletter.ports import Message, Store
from newsletter.ports.previews import Asked
from newsletter.readers.sync import sync
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.message import IssueMessage
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.store import open_store
from newsletter.web.studio.one_message import Studio
from tests import examples, factories
from tests.backtest.recorded import MONDAY
from tests.editions.desk import LIST as DESK_LIST
from tests.editions.desk import Desk
from tests.store.samples import join
from tests.web.viewers import viewer_of

DAY = date(2026, 3, 12)
SOURCE = "huggingface"
LIST = NewsletterList(
    masthead=factories.masthead(intro="Good morning.", bounces_to="bounces@example.org"),
    sources=(SOURCE,),
    topics={"agents": Topic(name="agents", keywords=("agent",)), "cells": Topic(name="cells", keywords=("cell",))},
    topics_mode=TopicsMode.ONLY,
)
READERS = (
    Subscriber(list="daily", email="all@example.org", name="Ada"),
    Subscriber(list="daily", email="agents@example.org", topics=("agents",)),
    Subscriber(list="daily", email="first@example.org", topics=("cells",), topics_mode=TopicsMode.FIRST),
    Subscriber(list="daily", email="own@example.org", interest="graphs and cells"),
)
TITLES = ("Agents that plan", "Cells in culture", "Agents in cells", "Graphs at scale")


@dataclass
class Office:
    """A list with readers, a ledger in a file and templates in a folder, which a restart opens anew."""

    folder: Path
    list_: NewsletterList | None = LIST  # None: its file is gone
    now: datetime = field(default_factory=lambda: slot_on(LIST, DAY).at)
    check: Callable[[Issue, Message], None] = lambda _issue, _message: None

    def __post_init__(self) -> None:
        (self.folder / "templates").mkdir()

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        store = await open_store(f"sqlite:///{self.folder}/newsletter.db")
        try:
            yield store
        finally:
            await store.close()

    def renderer(self) -> MailRenderer:
        templates = TemplateRenderer(self.folder / "templates", packaged_templates())
        return MailRenderer(templates, Links("https://papers.example.org", "a key of this test"))

    async def close_issue(self, day: date = DAY, titles: tuple[str, ...] = TITLES) -> int:
        """Collect papers, add the readers, close the issue of a day and return its key."""
        assert self.list_ is not None
        async with self.store() as store:
            entries = [
                Entry(
                    listing=Listing(
                        title=title, abstract=f"{title}. We study it.", url=f"https://example.org/{day}/{n}"
                    ),
                    sighting=Sighting(source=SOURCE, listed_on=day, seen_at=self.now, position=n),
                )
                for n, title in enumerate(titles)
            ]
            await store.library.record(SOURCE, day, entries, now=self.now)
            await join(store, *READERS, now=self.now)
            published = await publish(
                store,
                self.renderer(),
                self.list_,
                [SOURCE],
                slot_on(self.list_, day),
                now=self.now,
                at_once=False,
                check=self.check,
            )
        assert published.issue is not None
        return published.issue.key

    async def mails(self, key: int, *, closed: ClosedIssues | None = None) -> dict[str, bytes]:
        """Return what each reader is to be sent of a closed issue, by address; nothing is sent."""
        async with self.store() as store:
            by_key = closed or ClosedIssues(store.issues, self.renderer())
            async with store.outbox.worker() as worker:
                later = self.now + timedelta(days=400)
                claimed = await store.outbox.claim(worker, now=later, limit=99, issue_key=key)
                message = await by_key.message_for(key)
                made = {one.subscriber.email: message.for_reader(one)[1] for one in claimed}
                await store.outbox.release(worker, [one.key for one in claimed])
        return made


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def read(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text(raw: bytes) -> str:
    part = read(raw).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def test_a_topic_that_is_edited_after_closing_changes_no_mail(office: Office) -> None:
    key = await office.close_issue()
    before = await office.mails(key)

    other = Topic(name="agents", keywords=("zebra",))
    office.list_ = replace(LIST, topics={"agents": other})

    mails = await office.mails(key)
    assert mails == before
    mail = mails["agents@example.org"]
    assert "2 papers for you, of 4 new papers." in text(mail)
    assert read(mail)["Subject"] == "Agents that plan"


async def test_the_old_process_and_a_fresh_one_make_the_same_mails(office: Office) -> None:
    key = await office.close_issue()
    async with office.store() as store:
        old = ClosedIssues(store.issues, office.renderer())
        before = await office.mails(key, closed=old)

        office.list_ = replace(LIST, topics={}, masthead=replace(LIST.masthead, title="Renamed"))
        write_template(office, "daily/body.txt", "{{ subject }}: something else altogether\n")

        assert await office.mails(key, closed=old) == before
        assert await office.mails(key) == before


async def test_a_new_issue_goes_by_the_templates_and_the_list_as_they_are(office: Office) -> None:
    first = await office.close_issue()
    write_template(office, "daily/subject.txt", "{{ lead }}, freshly said")
    office.list_ = replace(LIST, masthead=replace(LIST.masthead, title="Renamed"))
    office.now += timedelta(days=1)

    second = await office.close_issue(DAY + timedelta(days=1), ("Agents once more", "Cells once more"))

    [old, new] = [(await office.mails(key))["all@example.org"] for key in (first, second)]
    assert (read(old)["Subject"], read(old)["List-Id"]) == (
        "Agents that plan",
        "Daily Papers <daily.example.org>",
    )
    assert (read(new)["Subject"], read(new)["List-Id"]) == (
        "Agents once more, freshly said",
        "Renamed <daily.example.org>",
    )


async def test_an_issue_without_a_stored_rendering_is_rendered_once_for_ever(office: Office) -> None:
    key = await office.close_issue()
    before = await office.mails(key)
    async with office.store() as store, store.issues._database.write() as connection:  # type: ignore[attr-defined]
        await connection.exec_driver_sql("DELETE FROM renderings")  # as the version before left it

    assert await office.mails(key) == before
    write_template(office, "daily/body.txt", "something else altogether\n")
    assert await office.mails(key) == before


class Renderings(MailRenderer):
    """A renderer that notes in which threads it makes renderings, and messages of them."""

    def __init__(self, office: Office) -> None:
        made = office.renderer()
        super().__init__(made._templates, made._links)
        self.rendered_in: list[int] = []
        self.composed_in: list[int] = []

    def render(self, issue: Issue) -> Rendering:
        self.rendered_in.append(threading.get_ident())
        return super().render(issue)

    def message(self, issue: Issue, rendering: Rendering, *, trial: bool = False) -> IssueMessage:
        self.composed_in.append(threading.get_ident())
        return super().message(issue, rendering, trial=trial)


async def test_an_issue_is_rendered_once_for_all_who_ask_at_once_and_holds_nobody_else_up(office: Office) -> None:
    key = await office.close_issue()
    renderer = Renderings(office)
    async with office.store() as store:
        async with store.issues._database.write() as connection:  # type: ignore[attr-defined]
            await connection.exec_driver_sql("DELETE FROM renderings")  # as the version before left it
        closed, issue = ClosedIssues(store.issues, renderer), await store.issues.get(key)
        assert issue is not None
        asked = [
            closed.message_for(key),
            closed.rendering(issue),
            closed.message_for(key),
            closed.rendering(issue),
        ]
        first, rendering, second, again = await asyncio.gather(*asked)

    assert (first, rendering) == (second, again)
    assert (len(renderer.rendered_in), len(renderer.composed_in)) == (1, 1)
    assert threading.get_ident() not in {*renderer.rendered_in, *renderer.composed_in}


async def test_an_issue_that_is_closed_is_rendered_and_checked_beside_the_event_loop(office: Office) -> None:
    renderer, checked_in = Renderings(office), list[int]()
    office.renderer = lambda: renderer  # type: ignore[method-assign]
    office.check = lambda *_: checked_in.append(threading.get_ident())
    await office.close_issue()

    assert len(renderer.rendered_in) == len(checked_in) == 1
    assert threading.get_ident() not in {*renderer.rendered_in, *checked_in}


async def test_there_is_no_mail_of_an_issue_that_is_not_there(office: Office) -> None:
    async with office.store() as store:
        with pytest.raises(LookupError, match="there is no issue 7"):
            await ClosedIssues(store.issues, office.renderer()).message_for(7)


def write_template(office: Office, name: str, content: str) -> None:
    path = office.folder / "templates" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


WORDS = st.text("aäß<&%{ 読", max_size=12)
TOPICS = st.dictionaries(
    st.sampled_from(["agents", "cells", "new"]),
    st.builds(
        lambda words: Topic(name="topic", keywords=tuple(words)), st.lists(st.sampled_from(["agent", "cell", "x"]))
    ),
)
MASTHEADS = st.builds(
    lambda title, intro, colour, cadence, sender: replace(
        LIST.masthead, title=f"T{title}", intro=intro, theme={"accent": colour}, cadence=cadence, sender=sender
    ),
    WORDS,
    WORDS,
    st.sampled_from(["#1a5f7a", "#000000"]),
    st.sampled_from(Cadence),
    st.sampled_from(["Other <other@example.org>", "papers@example.com"]),
)
LISTS = st.builds(
    lambda masthead, topics, mode, timezone, hours, deadline, days: replace(
        LIST,
        masthead=masthead,
        cadence=masthead.cadence,
        topics=topics,
        topics_mode=mode,
        timezone=timezone,
        hours=hours,
        deadline=deadline,
        days=days,
    ),
    MASTHEADS,
    TOPICS,
    st.sampled_from(TopicsMode),
    st.sampled_from(["Europe/London", "Asia/Tokyo"]),
    st.sampled_from([None, Hours(time(7), time(9))]),
    st.sampled_from([None, timedelta(hours=1)]),
    st.sampled_from([(0, 1), (5, 6)]),
)
WISHES = st.builds(
    lambda place, name, topics, mode, interest: replace(
        READERS[place], name=name, topics=tuple(topics), topics_mode=mode, interest=interest
    ),
    st.integers(0, len(READERS) - 1),
    WORDS,
    st.lists(st.sampled_from(["agents", "cells", "new"]), unique=True),
    st.sampled_from([None, *TopicsMode]),
    WORDS,
)
TEMPLATES = st.tuples(
    st.sampled_from(["daily/subject.txt", "daily/body.txt", "daily/body.html", "_base/listing.txt"]),
    st.sampled_from(
        ["Changed.\n", "{{ subject }}", "{{ nothing_like_that }}", "{% broken", "<p>{{ subject }}</p>"]
    ),
)
# What may happen to everything around a closed issue; each is one kind of value.
EDITS = st.lists(st.one_of(LISTS, WISHES, TEMPLATES, st.integers(1, 300), st.none()), min_size=1, max_size=5)


async def happen(office: Office, edit: object) -> None:
    """Edit the list, a reader or a template, let days pass, or lose the list file."""
    match edit:
        case NewsletterList():
            office.list_ = edit
        case Subscriber():
            async with office.store() as store:
                await join(store, edit, now=office.now)
        case (str() as name, str() as content):
            write_template(office, name, content)
        case int():
            office.now += timedelta(days=edit)
        case _:
            office.list_ = None


@settings(
    max_examples=examples.slow(10),
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
@given(EDITS)
def test_a_closed_issue_stays_the_same_bytes_whatever_happens_around_it(edits: list[object]) -> None:
    async def check(office: Office) -> None:
        key = await office.close_issue()
        before = await office.mails(key)
        assert len(before) == len(READERS)
        for edit in edits:
            await happen(office, edit)
        assert await office.mails(key) == before

    folder = Path(tempfile.mkdtemp())
    try:
        asyncio.run(check(Office(folder)))
    finally:
        shutil.rmtree(folder)


AT_SIX = time(18)


async def evening_desk(folder: Path, store: Store) -> Desk:
    """Return a desk that has closed an issue this morning for readers who get it at six."""
    words = {"first": ("8",), "second": ("7", "6")}
    topics = {name: Topic(name=name, keywords=keywords) for name, keywords in words.items()}
    desk = Desk(folder, store, list_=replace(DESK_LIST, topics=topics, topics_mode=TopicsMode.ONLY))
    desk.subscribe("ann", topics=("first",), hour=AT_SIX)
    desk.subscribe("bob", topics=("second",), hour=AT_SIX)
    desk.subscribe("eve", hour=AT_SIX)
    await desk.run(MONDAY)
    assert desk.post.mails == []
    return desk


async def test_topics_that_are_edited_between_closing_and_sending_leave_nobody_an_empty_mail(
    tmp_path: Path, store: Store
) -> None:
    desk = await evening_desk(tmp_path, store)
    none = {name: Topic(name=name, keywords=("zebra",)) for name in ("first", "second")}
    desk.list_ = replace(desk.list_, topics=none, masthead=replace(desk.list_.masthead, title="Renamed"))

    await desk.run(MONDAY, hour=18)

    assert (desk.papers("ann"), desk.papers("bob")) == ([8], [7, 6])
    assert len(desk.papers("eve")) == 6
    assert all(mail.subject.startswith("Paper number ") for mail in desk.post.mails)


async def test_a_closed_issue_is_delivered_when_the_file_of_its_list_is_gone(tmp_path: Path, store: Store) -> None:
    desk = await evening_desk(tmp_path, store)
    desk.now += timedelta(hours=10)

    [nothing] = [await desk.pipeline.delivering.deliver_without_file([desk.file])]
    [delivered] = await desk.pipeline.delivering.deliver_without_file([])

    assert nothing == []
    assert (delivered.issue.list, delivered.report.sent) == ("daily", 3)
    assert (desk.papers("ann"), desk.papers("bob")) == ([8], [7, 6])


async def test_an_issue_that_cannot_be_rendered_is_reported_and_keeps_no_other_back(
    tmp_path: Path, store: Store
) -> None:
    """Only issues that an older version closed have no rendering stored."""
    desk = await evening_desk(tmp_path, store)
    desk.list_ = replace(desk.list_, masthead=replace(desk.list_.masthead, list="other"))
    desk.readers = {name: replace(one, list="other") for name, one in desk.readers.items()}
    await desk.run(MONDAY)
    async with store.issues._database.write() as connection:  # type: ignore[attr-defined]
        await connection.exec_driver_sql("DELETE FROM renderings WHERE issue_key = 1")
    own = tmp_path / "templates" / "daily"
    own.mkdir(parents=True)
    (own / "body.txt").write_text("{{ no_such_value }}")
    broken = MailRenderer(TemplateRenderer(own.parent, packaged_templates()), Links("https://example.org", "key"))
    closed = ClosedIssues(store.issues, broken)
    mark = HighWaterMark(store.high_water, tmp_path)
    desk.now += timedelta(hours=10)
    delivering = Delivering(store, closed, Inline(desk.post), lambda: desk.now, mark)
    pipeline = replace(desk.pipeline, closed=closed, delivering=delivering)

    reports = await pipeline.run_without_file(now=desk.now, wish=AS_USUAL)

    assert {one.list: one.status for one in reports} == {"daily": "failed", "other": "sent"}
    assert "body.txt:1" in reports[0].reason


async def test_several_open_issues_of_a_list_without_a_file_are_one_report(tmp_path: Path, store: Store) -> None:
    desk = Desk(tmp_path, store, list_=DESK_LIST)
    desk.subscribe("ann", hour=time(20), timezone="UTC")
    desk.subscribe("bob", cadence=Cadence.WEEKLY, hour=time(20), timezone="UTC")
    desk.post.is_down = True
    for day in range(2):
        await desk.run(MONDAY + timedelta(days=day))
    desk.post.is_down = False
    desk.now += timedelta(hours=12)

    [report] = await desk.pipeline.run_without_file(now=desk.now, wish=AS_USUAL)

    assert (report.list, report.sent_now) == ("daily", 2)
    assert report.weekly is not None
    assert (report.weekly.list, report.weekly.sent_now) == ("daily.weekly", 1)


async def test_hours_and_deadline_of_a_closed_issue_are_those_that_its_list_had(
    tmp_path: Path, store: Store
) -> None:
    desk = Desk(tmp_path, store, list_=replace(DESK_LIST, hours=Hours(time(7), time(20))))
    desk.subscribe("ann", hour=AT_SIX)
    await desk.run(MONDAY)
    desk.list_ = replace(DESK_LIST, hours=Hours(time(3), time(4)), deadline=timedelta(minutes=1))

    await desk.run(MONDAY, hour=19)

    assert len(desk.papers("ann")) == 6


def studio_of(desk: Desk) -> Studio:
    """Return what shows the issues of a desk."""
    templates = TemplateRenderer(None, packaged_templates())
    return Studio(
        files=desk,
        pipeline=desk.pipeline,
        renderer=MailRenderer(templates, Links("https://other.example.org", "key")),
        mailer=RelayMailer([]),
        clock=lambda: desk.now,
    )


async def test_a_preview_shows_a_closed_issue_as_it_was_chosen_and_rendered(tmp_path: Path, store: Store) -> None:
    desk = await evening_desk(tmp_path, store)
    studio = studio_of(desk)
    desk.list_ = replace(desk.list_, topics={}, masthead=replace(desk.list_.masthead, title="Renamed"))
    issue = await studio.issue("daily", MONDAY)

    ann, bob, other = [await studio.raw(issue, f"{name}@example.org") for name in ("ann", "bob", "somebody-else")]

    assert read(ann)["Subject"] == "Paper number 8"
    assert "2 papers for you, of 8 new papers." in text(bob)
    assert "6 of 8 new papers." in text(other)
    assert "https://example.org/daily/2026-03-09" in text(ann)  # where the page stood when it was rendered


async def test_a_preview_on_a_day_without_news_shows_the_newest_issue(tmp_path: Path, store: Store) -> None:
    desk = await evening_desk(tmp_path, store)
    desk.now += timedelta(days=6)

    shown = await viewer_of(studio_of(desk)).message(Asked(list="daily", reader="ann@example.org"))

    assert (shown.day, shown.frozen, shown.sample) == (MONDAY, True, False)
    assert shown.note == "Nothing is new on 2026-03-15: this is the newest issue."


async def test_a_closed_issue_can_be_looked_at_when_the_file_of_its_list_is_gone(
    tmp_path: Path, store: Store
) -> None:
    desk = await evening_desk(tmp_path, store)
    studio = studio_of(desk)
    before = await studio.raw(await studio.issue("daily", MONDAY), "ann@example.org")

    desk.is_gone = True

    assert await studio.raw(await studio.issue("daily", MONDAY), "ann@example.org") == before
    assert await studio.raw(await studio.issue("daily", None), "ann@example.org") == before
    for name, day in (("other", MONDAY), ("daily", MONDAY + timedelta(days=1))):
        with pytest.raises(UsageError, match=name):
            await studio.issue(name, day)


async def test_who_signed_up_is_shown_what_they_get_and_who_gets_nothing_no_mail(
    tmp_path: Path, store: Store
) -> None:
    desk = await evening_desk(tmp_path, store)
    signed_up = Subscriber(list="daily", email="may@example.org", name="May", topics=("first",), origin=Origin.WEB)
    await join(store, signed_up, now=desk.now)
    studio = studio_of(desk)
    closed = await studio.issue("daily", MONDAY)

    mail = await studio.raw(closed, "may@example.org")

    assert read(mail)["To"] == "May <may@example.org>"
    assert "1 paper for you, of 8 new papers." in text(mail)
    lost = replace(signed_up, topics=("topic that is gone",))
    await join(store, lost, now=desk.now)
    with pytest.raises(NothingNewError, match=r"holds nothing for may@example\.org"):
        await studio.raw(closed, "may@example.org")


async def test_for_a_draft_the_files_decide_about_their_own_whether_they_are_synced_or_not(
    tmp_path: Path, store: Store
) -> None:
    desk = Desk(tmp_path, store)
    desk.subscribe("ann", interest="graphs", topics=("first",))
    desk.subscribe("bob", cadence=Cadence.WEEKLY)
    studio = studio_of(desk)
    viewer = viewer_of(studio)
    draft = await desk.pipeline.issue_or_draft(desk.list_, MONDAY, now=desk.now)
    nobody = Subscriber(list="daily", email="ann@example.org")
    for is_synced in (False, True):
        if is_synced:
            await desk.pipeline.sync(desk.file, now=desk.now)
        assert await studio.reader(draft, "ANN@example.org") == desk.readers["ann"]
        assert await viewer.lists() == ["daily", "daily.weekly"]
        assert await viewer.readers("daily", "", most=1) == ["ann@example.org"]
    del desk.readers["ann"]
    del desk.readers["bob"]
    desk.subscribe("cid", interest="cells")
    for is_synced in (False, True):
        if is_synced:
            await sync(store.subscribers, desk.file, now=desk.now, allow_mass_removal=True)
        assert await studio.reader(draft, "ann@example.org") == nobody
        assert await studio.reader(draft, "cid@example.org") == desk.readers["cid"]
    assert await viewer.lists() == ["daily"]

"""What readers say of a paper decides what they get of the next issue, and what nobody else gets."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from newsletter.bootstrap import packaged_templates
from newsletter.core.calendar import slot_on
from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.pipeline.publish import publish
from newsletter.ports import Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from tests import factories
from tests.store.samples import join, key_of

SOURCE = "huggingface"
MONDAY, TUESDAY = date(2026, 3, 9), date(2026, 3, 10)
LIST = NewsletterList(masthead=factories.masthead(), sources=(SOURCE,), max_listings=4)
RENDERER = MailRenderer(TemplateRenderer(None, packaged_templates()), Links("https://example.org", "a key"))

SPLATTING = "Gaussian splatting of dynamic streets"
PAPERS = {
    MONDAY: [SPLATTING, "Verdicts of courts of appeal"],
    TUESDAY: [
        "Whales sing in dialects",
        "Courts of appeal and their verdicts, once more",
        "Dynamic streets in gaussian splatting, streamed",
        "Proteins that fold by themselves",
    ],
}


async def close(store: Store, day: date) -> dict[str, int]:
    """Record a day's papers and close its issue; return the papers' keys by title."""
    now = datetime.combine(day, time(8), UTC)
    entries = [
        Entry(
            listing=Listing(title=title, url=f"https://lab.example/{day}/{place}"),
            sighting=Sighting(source=SOURCE, listed_on=day, seen_at=now, position=place, upvotes=90 - place),
        )
        for place, title in enumerate(PAPERS[day])
    ]
    await store.library.record(SOURCE, day, entries, now=now)
    published = await publish(
        store,
        RENDERER,
        LIST,
        [SOURCE],
        slot_on(LIST, day),
        now=now,
        at_once=True,
        check=lambda _issue, _message: None,
    )
    assert published.issue is not None
    return {one.listing.title: one.key for one in published.issue.listings}


async def chosen(store: Store, name: str) -> tuple[list[str], Choice]:
    issue = await store.issues.latest(LIST.name)
    assert issue is not None
    found = await store.issues.chosen(issue.key, f"{name}@example.org")
    assert found is not None
    return [issue.listings[position].listing.title for position in found[0].positions], found[0]


async def test_a_paper_like_a_liked_one_comes_first_and_one_like_a_disliked_one_for_no_topic(store: Store) -> None:
    readers = tuple(Subscriber(list=LIST.name, email=f"{name}@example.org") for name in ("ann", "bob"))
    await join(store, *readers)
    monday = await close(store, MONDAY)
    ann = await key_of(store, LIST.name, "ann@example.org")
    evening = datetime(2026, 3, 9, 20, tzinfo=UTC)
    await store.feedback.say(ann, monday[SPLATTING], liked=True, now=evening)
    await store.feedback.say(ann, monday["Verdicts of courts of appeal"], liked=False, now=evening + timedelta(1))

    await close(store, TUESDAY)

    titles, choice = await chosen(store, "ann")
    streamed = PAPERS[TUESDAY][2]
    assert titles == [streamed, *(title for title in PAPERS[TUESDAY] if title != streamed)]
    assert choice.reasons == ((Reason(ReasonKind.LIKED, SPLATTING),), (), (), ())
    others, choice = await chosen(store, "bob")
    assert others == PAPERS[TUESDAY]
    assert choice.reasons == ((),) * 4
